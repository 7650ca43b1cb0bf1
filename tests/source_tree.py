"""Analyses the repository's source: imports between modules, and lengths of files and functions."""

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
    """Returns files of the work tree that are tracked, or new and not ignored."""
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
    for_types: bool  # below `if TYPE_CHECKING`


def sources() -> dict[str, Path]:
    """Returns the product's files by module name, without migrations."""
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
    """Returns imports of one module of the product by another."""
    modules = sources()
    return [found for name, file in modules.items() for found in _imports(name, file, modules)]


def _imports(name: str, file: Path, modules: dict[str, Path]) -> Iterator[Import]:
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node, _, for_types in _walk(parsed(file), False, False):
        for module in _imported(node, package, modules):
            if module != name:
                yield Import(name, module, for_types)


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


class LocalImport(NamedTuple):
    file: str
    line: int
    has_comment: bool  # on its line, or above it in the same block of imports


def imports_in_functions() -> list[LocalImport]:
    """Returns imports in functions of the whole repository, including tests and benchmarks."""
    found = []
    for file in tracked("*.py"):
        lines = file.read_text(encoding="utf-8").splitlines()
        for node, in_function, for_types in _walk(parsed(file), False, False):
            if in_function and not for_types:
                name = str(file.relative_to(ROOT))
                found.append(LocalImport(name, node.lineno, _has_comment(lines, node.lineno)))
    return found


def _has_comment(lines: list[str], number: int) -> bool:
    if "  # " in lines[number - 1]:
        return True
    for line in reversed(lines[: number - 1]):
        if line.strip().startswith("#"):
            return True
        if line.strip() and not line.strip().startswith(("from ", "import ")):
            return False
    return False


def importers() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in sources()}
    for row in imports():
        found[row.module].add(row.importer)
    return found


def circles() -> list[list[str]]:
    """Returns cycles of modules that import each other at run time."""
    graph: dict[str, set[str]] = defaultdict(set)
    for row in imports():
        if not row.for_types:
            graph[row.importer].add(row.module)
    reached = {name: _reachable(graph, name) for name in sources()}
    found = {tuple(sorted({name} | {n for n in reached[name] if name in reached[n]})) for name in reached}
    return sorted(list(circle) for circle in found if len(circle) > 1)


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def function_lengths() -> list[int]:
    return [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for file in sources().values()
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def percentile(values: list[int], share: float) -> int:
    return sorted(values)[int(share * len(values))]
