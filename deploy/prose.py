"""Finds words that readers stumble over, in the product's Python, templates and documents, and says what to write.

`python deploy/prose.py` checks all tracked files, `python deploy/prose.py FILE...` those. A line that must keep such a
word ends in `# prose: keep` or `<!-- prose: keep -->`.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = re.compile(r"^(tests|benchmarks)/|/migrations/|\.vi\.md$|^deploy/prose\.py$")
KEEP = "prose: keep"
INSTEAD = {
    r"somebody|nobody|whoever|whosoever": "someone, no one, anyone who; better: name the person or the part",
    r"anew": "again",
    r"goes on|go on|gone on": "continue",
    r"by itself|by themselves": "automatically, alone",
    r"taken up again|take up again|takes up again": "resume, retry",
    r"heard of": "seen, known",
    r"looked at again": "checked again",
    r"comes back|came back": "return",
    r"brought along|bring along|brings along": "import, include",
    r"no longer there|is kept no more": "missing, deleted",
    r"whatever it|what is asked for|what was asked for": "name the thing: the request, the value",
    r"in order to": "to",
    r"utili[sz]e[sd]?|utili[sz]ing": "use",
    r"leverag(?:e|es|ed|ing)": "use",
    r"seamless(?:ly)?|blazing(?:ly)?|obviously|of course": "leave it out, or give a figure",
    r"henceforth|thereof|whereof|hereby|heretofore|whatsoever|amongst|whilst": "a plain word: of it, while, among",
    r"e\.g\.|i\.e\.|etc\.": "for example, that is, and so on",
}
WORDS = {re.compile(rf"(?<![\w.-])(?:{words})(?![\w-])", re.IGNORECASE): advice for words, advice in INSTEAD.items()}


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.html", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()


def findings(name: str, text: str) -> Iterator[str]:
    """`file:line: 'word': what to write` of each word."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, advice in WORDS.items() if KEEP not in line else ():
            for match in pattern.finditer(line):
                yield f"{name}:{number}: {match[0]!r}: {advice}"


def check(names: Iterable[str]) -> list[str]:
    files = [name for name in names if not LEFT_OUT.search(name) and (ROOT / name).is_file()]
    return [found for name in files for found in findings(name, (ROOT / name).read_text(encoding="utf-8"))]


if __name__ == "__main__":
    sys.exit("\n".join(check(sys.argv[1:] or tracked())) or 0)
