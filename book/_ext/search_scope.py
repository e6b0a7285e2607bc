"""The tests are linked, and no results of a search: a reader who searches for the MMD wants its chapter."""

from sphinx.domains.python import PythonDomain


class Searched(PythonDomain):
    """Python's domain, in which a name of `tests` has the priority of what no search shows."""

    def get_objects(self):
        for name, *where, priority in super().get_objects():
            yield name, *where, -1 if name.startswith("tests.") else priority


def setup(app):
    app.add_domain(Searched, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
