"""The page of lambda, live: a directive writes its data as a script; its script and style are loaded on this page."""

from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

PAGE = "book/live_lambda"
DATA = "live_lambda_data.js"


@cache
def recorded():
    """The paths and the digits, which the page's directives share."""
    from vimae_core.datasets import load_dataset  # here, and below: importing it takes seconds
    from vimae_core.report.live_lambda import read_paths

    return read_paths(), load_dataset()


class LiveLambda(Directive):
    """`{live_lambda} story`, `provenance`, or nothing: what the records tell, where they come from, or the page's own
    part, which the script fills."""

    optional_arguments = 1

    def run(self):
        from vimae_core.report import live_lambda, live_lambda_story
        from vimae_core.store import RunError

        try:
            paths, data = recorded()
            if self.arguments == ["story"]:
                return self.parsed([f"- {line}" for line in live_lambda_story.story(paths)])
            if self.arguments == ["provenance"]:
                return self.parsed([live_lambda.told_provenance(paths, data)])
            static = Path(self.state.document.settings.env.app.outdir) / "_static"
            static.mkdir(parents=True, exist_ok=True)
            (static / DATA).write_text(live_lambda.script(paths, data), encoding="utf-8")
        except RunError as error:
            raise self.error(str(error)) from None
        return [nodes.raw("", MARKUP, format="html")]

    def parsed(self, lines):
        part = nodes.container()
        self.state.nested_parse(StringList("\n".join(lines).split("\n"), "records"), self.content_offset, part)
        return part.children


MARKUP = """
<div id="live-lambda" class="live-lambda">
  <noscript><p>This page moves by JavaScript. The same numbers stand in the chapters it links.</p></noscript>
</div>
"""


def outdated(app, env, added, changed, removed):
    """The page is rendered anew in every build: Sphinx does not see the records."""
    return [PAGE] if PAGE in env.found_docs else []


def add_files(app, pagename, templatename, context, doctree):
    if pagename == PAGE:
        app.add_css_file("live.css")
        app.add_css_file("live_lambda.css")
        app.add_js_file(DATA, loading_method="defer")
        app.add_js_file("live_lambda.js", loading_method="defer")


def setup(app):
    app.add_directive("live_lambda", LiveLambda)
    app.connect("env-get-outdated", outdated)
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
