"""Writes docs/python-api.md from the docstrings of the public Python surface; --check only says whether it is current.

Public is what `__all__` names in PACKAGES, and the methods and properties of its classes. The docstrings have the
sections of numpydoc, which griffe reads without importing the code.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "python-api.md"
PACKAGES = ("recommender.estimators", "recommender.evaluation")
# What the site's own pages take from a model, by classes that `Recommender` is built on: free to change.
INTERNAL = ("recommender.estimators.attribution", "recommender.estimators.fitted_data")
HEAD = """# Python API

`recommender.estimators` and `recommender.evaluation` work without Django, in a checkout with `make setup`. Public is
what is documented here. `make python-api` writes this page from the docstrings; `make test` runs the examples.
"""
NAMED = (griffe.DocstringSectionParameters, griffe.DocstringSectionAttributes)


def surface(package: str) -> Iterator[tuple[str, griffe.Object]]:
    """Name and object of the package itself, then of everything public in it."""
    module = _target(griffe.load(package, search_paths=[ROOT], docstring_parser="numpy"))
    yield package, module
    for name in module.exports or []:
        target = _target(module[str(name)])
        if target.docstring:
            yield str(name), target
            if isinstance(target, griffe.Class):
                yield from _members(str(name), target)


def _target(found: griffe.Object | griffe.Alias) -> griffe.Object:
    return found.final_target if isinstance(found, griffe.Alias) else found


def _members(owner: str, found: griffe.Class) -> Iterator[tuple[str, griffe.Object]]:
    for name, member in found.all_members.items():
        target = _target(member)
        is_ours = target.is_function or "property" in target.labels
        if is_ours and not name.startswith("_") and target.module.path not in INTERNAL:
            yield f"{owner}.{name}", target


def page() -> str:
    return "\n".join([HEAD, *(part for package in PACKAGES for part in _package(package))])


def _package(package: str) -> Iterator[str]:
    for name, found in surface(package):
        level = 2 if found.is_module else 3 + name.count(".")
        yield f"{'#' * level} `{name}`\n"
        if isinstance(found, griffe.Function):
            yield f"```python\n{_call(name, found)}\n```\n"
        if found.docstring:
            yield from (part for section in found.docstring.parsed for part in _section(section))


def _call(name: str, found: griffe.Function) -> str:
    parts = [part for part in found.parameters if part.name not in ("self", "cls")]
    names, has_star = [], False
    for part in parts:
        if part.kind is griffe.ParameterKind.keyword_only and not has_star:
            names.append("*")
            has_star = True
        star = {griffe.ParameterKind.var_keyword: "**", griffe.ParameterKind.var_positional: "*"}.get(part.kind, "")
        default = f"={part.default}".replace("'", '"') if part.default is not None and not star else ""
        names.append(f"{star}{part.name}{default}")
    return f"{name}({', '.join(names)})"


def _section(section: griffe.DocstringSection) -> Iterator[str]:
    if isinstance(section, griffe.DocstringSectionText):
        yield section.value + "\n"
    elif isinstance(section, griffe.DocstringSectionExamples):
        yield from (f"```pycon\n{text}\n```\n" if kind == "examples" else f"{text}\n" for kind, text in section.value)
    else:
        rows = [_row(item, isinstance(section, NAMED)) for item in section.value]
        yield f"**{section.kind.value.capitalize()}**\n\n" + "\n".join(rows) + "\n"


def _row(item: griffe.DocstringElement, is_named: bool) -> str:
    kind = f"`{item.annotation}`" if item.annotation else ""
    head = (
        f"`{item.name}`{kind and f' ({kind})'}" if isinstance(item, griffe.DocstringNamedElement) and is_named else kind
    )
    return f"* {head}: {' '.join(item.description.split())}"


def main(arguments: list[str]) -> None:
    text = page()
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        sys.exit("docs/python-api.md is not what the docstrings say: run `make python-api`")


if __name__ == "__main__":
    main(sys.argv[1:])
