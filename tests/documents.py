"""Reads the documents for tests: their code, shell commands, links and headings."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.processes import ROOT
from tests.source_tree import tracked

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})
# Their comments are treated as documents too.
COMMENTED = (".env.example", "docker-compose.yml", "config.yaml", "Makefile")
SHELL = {"sh", "dotenv"}


class Code(NamedTuple):
    """A code span, or a code block with the language of its fence."""

    page: str
    text: str
    language: str | None = None


@cache
def pages() -> dict[str, str]:
    """Returns Markdown by path. Excludes CHANGELOG.md, which mentions removed things."""
    found = [ROOT / "README.md", *tracked(".github/*.md", "docs/*.md")]
    texts = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in found}
    return texts | {name: _comments(ROOT / name) for name in COMMENTED}


def _comments(file: Path) -> str:
    lines = re.findall(r"(?:^|\s)##? (.*)|^#([A-Z_]+=.*)", file.read_text(encoding="utf-8"), re.MULTILINE)
    return "\n".join(f"\n```dotenv\n{value}\n```\n" if value else text for text, value in lines)


@cache
def tokens(markdown: str) -> list[Token]:
    """Returns blocks, each followed by its inline parts."""
    return [part for block in MARKDOWN.parse(markdown) for part in (block, *(block.children or ()))]


@cache
def code() -> list[Code]:
    """Returns every code span and block of the documents."""
    found = []
    for page, markdown in pages().items():
        for token in tokens(markdown):
            if token.type == "code_inline":
                found.append(Code(page, token.content))
            elif token.type in ("fence", "code_block"):
                found.append(Code(page, token.content, token.info))
    return found


def spans() -> list[Code]:
    return [piece for piece in code() if piece.language is None]


def blocks(language: str) -> list[Code]:
    return [piece for piece in code() if piece.language == language]


def shell_lines() -> Iterator[Code]:
    """Yields code spans, and lines of shell blocks with their continuations."""
    yield from spans()
    for piece in code():
        if piece.language in SHELL:
            for line in re.sub(r"\\\n\s*", "", piece.text).splitlines():
                yield piece._replace(text=line)


def links() -> Iterator[tuple[Path, str]]:
    """Yields the page and target of each link and image in all tracked Markdown."""
    for file in tracked("*.md"):
        for token in tokens(file.read_text(encoding="utf-8")):
            target = token.attrs.get("href") or token.attrs.get("src")
            if target:
                yield file, str(target)


def anchors(file: Path) -> set[str]:
    """Returns the anchors that GitHub creates for the headings."""
    parts = MARKDOWN.parse(file.read_text(encoding="utf-8"))
    titles = [after.content for before, after in pairwise(parts) if before.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
