"""Writes docs/python-api.md from the docstrings of the public Python API. With --check, fails if it is outdated.

The public API consists of the names in `__all__` of PACKAGES, and of the methods and properties of their classes.
griffe reads the numpydoc sections of the docstrings without importing the code.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "python-api.md"
PACKAGES = ("recommender.estimators", "recommender.evaluation")
# Modules with base classes of `Recommender`. Their members are for the site's own pages and may change.
INTERNAL = ("recommender.estimators.attribution", "recommender.estimators.fitted_data")
HEAD = """# Python API

`recommender.estimators` and `recommender.evaluation` work without Django, in a checkout with `make setup`. Public is
what is documented here. `make python-api` writes this page from the docstrings; `make test` runs the examples.
"""
NAMED = (griffe.DocstringSectionParameters, griffe.DocstringSectionAttributes)


def surface(package: str) -> Iterator[tuple[str, griffe.Object]]:
    """Yields the name and object of the package, then of each public name in it."""
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
        if name == "ESTIMATORS":
            yield from _hyper_parameters()


def _hyper_parameters() -> Iterator[str]:
    """Yields the table of hyper-parameters, from the fields and comments of each algorithm's `config_class`."""
    package = _target(griffe.load(PACKAGES[0], search_paths=[ROOT]))
    yield "| algorithm | hyper-parameter | default | bounds | meaning |\n|---|---|---|---|---|"
    for algorithm, path in ast.literal_eval(_value(package["_CLASSES"])).items():
        module = package[path.partition(".")[0]]
        config = _target(module[_value(_target(package[path]).all_members["config_class"])])
        for member in filter(_is_field, config.all_members.values()):
            yield f"| `{algorithm}` | {_field(_target(member))} |"
    yield "\nA default of `None` is chosen by `fit`, on splits of its own data.\n"


def _is_field(member: griffe.Object | griffe.Alias) -> bool:
    return _target(member).is_attribute and not member.name.startswith("_")


def _value(found: griffe.Object | griffe.Alias) -> str:
    target = _target(found)
    assert isinstance(target, griffe.Attribute)
    return str(target.value)


def _field(field: griffe.Object) -> str:
    """Returns the cells of a field: its name, default, bounds and comment."""
    bounds, default = "", _value(field)
    call = ast.parse(default, mode="eval").body
    if isinstance(call, ast.Call):
        bounds = ", ".join(f"{bound.arg} {_number(bound.value, field)}".replace("_", " ") for bound in call.keywords)
        default = _number(call.args[0], field)
    return f"`{field.name}` | `{default}` | {bounds} | {_comment(field)}"


def _comment(field: griffe.Object) -> str:
    """Returns the comment on the field's line or, by default, the comment above it."""
    lines = Path(str(field.filepath)).read_text(encoding="utf-8").splitlines()
    at = (field.lineno or 1) - 1
    above: list[str] = []
    while lines[at - 1].lstrip().startswith("# "):
        at -= 1
        above.insert(0, lines[at].strip(" #"))
    return field.lines[-1].partition("  # ")[2] or " ".join(above)


def _number(node: ast.expr, field: griffe.Object) -> str:
    """Returns the value as text. Resolves the name of a constant in the field's module."""
    return _value(field.module[node.id]) if isinstance(node, ast.Name) else ast.unparse(node)


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
