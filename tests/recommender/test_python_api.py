"""The public Python API: docstrings are complete, examples pass, and docs/python-api.md is up to date."""

import ast
import doctest
from importlib import import_module
from pathlib import Path
from typing import Any

import griffe
import pytest

from deploy.python_api import PACKAGES, PAGE, page, surface

pytestmark = pytest.mark.once

SURFACE = {f"{package}:{name}": found for package in PACKAGES for name, found in surface(package)}
CALLABLE = [name for name, found in SURFACE.items() if isinstance(found, griffe.Function)]
CLASSES = [name for name, found in SURFACE.items() if isinstance(found, griffe.Class)]


@pytest.fixture(scope="module")
def names(tmp_path_factory) -> dict[str, Any]:
    """What the examples of the packages define, which all others use."""
    found: dict[str, Any] = {"folder": tmp_path_factory.mktemp("examples") / "model"}
    for package in PACKAGES:
        module = import_module(package)
        found |= {name: getattr(module, name) for name in module.__all__}
        run_examples(SURFACE[f"{package}:{package}"], found)
    return found


def run_examples(found: griffe.Object, names: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(found.docstring.value, names, found.path, str(found.filepath), 0)
    wrong: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=wrong.append, clear_globs=False)
    names |= test.globs
    assert test.examples
    assert not wrong, "".join(wrong)


def sections(found: griffe.Object) -> dict[str, griffe.DocstringSection]:
    return {section.kind.value: section for section in found.docstring.parsed}


def named(section: griffe.DocstringSection | None) -> set[str]:
    return {part.strip(" *") for item in section.value for part in item.name.split(",")} if section else set()


def raised(found: griffe.Function) -> set[str]:
    """Names of the exceptions that the function itself raises."""
    calls = [node.exc for node in ast.walk(ast.parse(source_of(found))) if isinstance(node, ast.Raise)]
    return {ast.unparse(call.func) for call in calls if isinstance(call, ast.Call)}


def source_of(found: griffe.Function) -> str:
    lines = Path(found.filepath).read_text(encoding="utf-8").splitlines()[found.lineno - 1 : found.endlineno]
    return "if True:\n" + "\n".join(f" {line}" for line in lines)


def test_everything_exported_is_documented():
    exported = {f"{package}:{name}" for package in PACKAGES for name in import_module(package).__all__}

    assert exported - SURFACE.keys() == set()
    assert [name for name, found in SURFACE.items() if not found.docstring] == []


@pytest.mark.parametrize("name", CALLABLE)
def test_a_function_has_every_section(name, names):
    found = SURFACE[name]
    given = sections(found)
    kinds = {str(item.annotation) for item in given["raises"].value} if "raises" in given else set()

    assert named(given.get("parameters")) == {part.name for part in found.parameters} - {"self", "cls"}
    assert str(found.returns) == "None" or given.keys() & {"returns", "yields"}
    assert raised(found) <= kinds
    run_examples(found, dict(names))


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_every_section(name, names):
    found = SURFACE[name]
    given = sections(found)
    made_with = {part.name for part in found.parameters} - {"self"}

    assert made_with <= named(given.get("parameters")) | named(given.get("attributes"))
    run_examples(found, dict(names))


def test_the_page_shows_the_docstrings():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make python-api`"
