"""Finds words from prose.toml in Python code, templates and documents, and suggests replacements.

`python deploy/prose.py` checks all tracked files, `python deploy/prose.py FILE...` only the given files. To keep a
word, end its line with `# prose: keep` or `<!-- prose: keep -->`.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = re.compile(r"^(tests|benchmarks)/|/migrations/|\.vi\.md$")
KEEP = "prose: keep"
INSTEAD: dict[str, str] = tomllib.loads((ROOT / "deploy" / "prose.toml").read_text(encoding="utf-8"))
ANY = re.compile(rf"(?<![\w.-])(?:{'|'.join(INSTEAD)})(?![\w-])", re.IGNORECASE)


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.html", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()


def findings(name: str, text: str) -> Iterator[str]:
    """Yields `file:line: 'word': replacement` for each word found."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in ANY.finditer(line) if KEEP not in line else ():
            advice = next(advice for words, advice in INSTEAD.items() if re.fullmatch(words, match[0], re.IGNORECASE))
            yield f"{name}:{number}: {match[0]!r}: {advice}"


def check(names: Iterable[str]) -> list[str]:
    files = [name for name in names if not LEFT_OUT.search(name) and (ROOT / name).is_file()]
    return [found for name in files for found in findings(name, (ROOT / name).read_text(encoding="utf-8"))]


if __name__ == "__main__":
    sys.exit("\n".join(check(sys.argv[1:] or tracked())) or 0)
