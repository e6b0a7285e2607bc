"""The pages of code, tests, words and symbols: what they say follows the theory, and what they name exists."""

import json
import re
from importlib import import_module

import pytest

import vimae_core
from tests.conftest import ROOT

PAGES = {name: (ROOT / "book" / f"{name}.md").read_text("utf-8") for name in ("theory", "code", "tests", "symbols")}
ENTRIES = dict(re.findall(r"^\.\. auto\w+:: (vimae_core[\w.]+)\n((?:\n|   .*\n)*)", PAGES["code"], re.MULTILINE))


def theory_lines():
    """(equation, functions, tests) of every line of the theory that names code, within the equation's own section."""
    equation = None
    for line in PAGES["theory"].splitlines():
        if named := re.match(r":label: (eq-\d+)", line):
            equation = named[1]
        if line.startswith("## "):
            equation = None
        if line.startswith("Code:"):
            yield equation, re.findall(r"vimae_core[\w.]+", line), re.findall(r"~(tests[\w.]+)", line)


def test_functions_are_linked_to_the_equations_and_tests_of_the_theory():
    """Each function that the theory names has, on its page, that equation and those tests."""
    lines = list(theory_lines())
    assert len(lines) >= 15 and {e for e, _, _ in lines} >= {f"eq-{n}" for n in range(1, 16)}
    for equation, functions, tests in lines:
        for name in functions:
            assert equation is None or f":eq:`{equation}`" in ENTRIES[name]
            assert all(f"~{test}`" in ENTRIES[name] for test in tests)


def test_every_function_has_its_page_and_tests():
    """And every test that is named is told about on the tests' page, once."""
    assert len(ENTRIES) >= 50
    told = re.findall(r"autofunction:: (tests[\w.]+)\(\)", PAGES["tests"])
    assert len(told) == len(set(told))
    for text in ENTRIES.values():
        named = re.findall(r"~(tests[\w.]+)`", text)
        assert named and set(named) <= set(told) and ":doc:`" in text
    assert set(re.findall(r"~(tests[\w.]+)`", PAGES["theory"])) <= set(told)


def test_the_packages_own_names_come_first():
    """All that `import vimae_core` offers is told about; functions stand before any test."""
    own = {f"{getattr(vimae_core, name).__module__}.{name}" for name in vimae_core.__all__}
    assert own <= set(ENTRIES)
    assert "autofunction:: tests." not in PAGES["code"]


def test_symbols_name_code_that_exists():
    """What the last column names is a function, a field of a configuration or an argument of the package."""
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "vimae_core").rglob("*.py"))
    rows = [line for line in PAGES["symbols"].splitlines() if line.startswith("| $")]
    names = {name for row in rows for name in re.findall(r"`([\w.]+)`", row.rsplit("|", 2)[1])}
    assert len(names) >= 15
    for name in names:
        owner, _, part = name.rpartition(".")
        assert re.search(rf"\b(def {part}|class {part})\b|\b{part}\b", source)
        if owner:
            module = {"Run": "runs", "Prior": "priors"}[owner]
            assert hasattr(getattr(import_module(f"vimae_core.{module}"), owner), part)


def test_no_test_is_a_result_of_a_search(built_tree):
    """Neither its page's words and title nor its name; the function that it tests is one."""
    text = (built_tree / "_build" / "html" / "searchindex.js").read_text("utf-8")
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    page = index["docnames"].index("book/tests")
    found = {n for ns in index["terms"].values() for n in (ns if isinstance(ns, list) else [ns])}
    assert page not in found and index["titles"][page] == "" and "vimae_core.mmd" in index["objects"]
    assert not [name for name in index["objects"] if name.startswith("tests")]
    assert not [name for name in index["docnames"] if name.startswith("_modules")]


@pytest.mark.parametrize("word", ["prior", "aggregate posterior", "Fréchet distance", "Holm's method", "undecided"])
def test_a_glossary_has_the_word(built_tree, word):
    """With a definition below."""
    page = (built_tree / "_build" / "html" / "book" / "glossary.html").read_text("utf-8")
    assert re.search(rf'<dt id="term-[^"]+">{word.replace(chr(39), ".")}<', page)
