"""The repository's own source: which modules import which, and how long files and functions are."""

import ast
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.processes import ROOT

APPS = ["catalog", "recommender", "mlops", "movierec"]  # each may import those before it


def tracked(*patterns: str) -> list[Path]:
    """Files of the work tree that git knows, or that are new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


class Import(NamedTuple):
    importer: str
    module: str
    line: int
    in_function: bool
    for_types: bool  # below `if TYPE_CHECKING`


def sources() -> dict[str, Path]:
    """Module name -> file, of the product without migrations."""
    files = [file for file in tracked(*(f"{app}/*.py" for app in APPS)) if "migrations" not in file.parts]
    return {module_name(file): file for file in files}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imports() -> list[Import]:
    """Imports of one module of the product by another."""
    modules = sources()
    return [found for name, file in modules.items() for found in _imports(name, file, modules)]


def _imports(name: str, file: Path, modules: dict[str, Path]) -> Iterator[Import]:
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node, in_function, for_types in _walk(parsed(file), False, False):
        for module in _imported(node, package, modules):
            if module != name:
                yield Import(name, module, node.lineno, in_function, for_types)


def _imported(node: ast.Import | ast.ImportFrom, package: str, modules: dict[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in modules)
        return
    base = node.module or ""
    if node.level:
        parts = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*parts, base] if base else parts)
    for alias in node.names:
        if f"{base}.{alias.name}" in modules:
            yield f"{base}.{alias.name}"
        elif base in modules:
            yield base


Statement = ast.Import | ast.ImportFrom


def _walk(node: ast.AST, in_function: bool, for_types: bool) -> Iterator[tuple[Statement, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, in_function, for_types
        inside = in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _walk(child, inside, for_types or _is_type_checking(child))


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def local_imports() -> list[tuple[str, int]]:
    """Modules and lines of imports inside functions, of any module."""
    return [
        (name, node.lineno)
        for name, file in sources().items()
        for node, in_function, for_types in _walk(parsed(file), False, False)
        if in_function and not for_types
    ]


def importers() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in sources()}
    for row in imports():
        found[row.module].add(row.importer)
    return found


def circles() -> list[list[str]]:
    """Modules that import each other at run time, in functions or at the top (Tarjan's algorithm)."""
    graph: dict[str, set[str]] = defaultdict(set)
    for row in imports():
        if not row.for_types:
            graph[row.importer].add(row.module)
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in graph[name]:
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            start = stack.index(name)
            found.append(sorted(stack[start:]))
            del stack[start:]

    for name in sorted(sources()):
        if name not in order:
            visit(name)
    return [circle for circle in found if len(circle) > 1]


def function_lengths() -> list[int]:
    return [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for file in sources().values()
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
