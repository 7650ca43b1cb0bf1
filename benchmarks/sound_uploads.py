"""The sound uploads of the cases, and which rows of a damaged upload may be read as watched."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import PurePosixPath

from benchmarks.mutations import Damaged, Upload
from catalog.errors import InvalidImport
from catalog.imports.fields import ParsedRow
from catalog.imports.files import files_of
from catalog.imports.tables import Record, tables_of
from tests.catalog.imports.case_files import Case, cases, catalogue

KNOWN_BY = 4  # characters at the start or end of a title that identify it
ALIKE = 0.3  # share of its text by which a row is recognised
LONGEST = 60  # maximum number of compared characters of a value
WHOLE_CELLS = {"encodings", "separators", "names"}  # kinds of damage that change no value

Place = tuple[str, int]  # a file and the line of a row


@dataclass(frozen=True)
class Sound:
    """A sound upload. `texts` are the texts of its rows. `watched` are the watched rows, with `titles` and `ids`.

    In rows of `denied`, one value contradicts another, such as a status or a type. If this value is damaged, they may
    be read as watched.
    """

    case: Case
    upload: Upload
    texts: dict[Place, str]
    watched: frozenset[Place]
    denied: frozenset[Place]
    titles: frozenset[str]
    ids: frozenset[str]

    def wrong(self, rows: Iterable[ParsedRow], kind: str, damaged: Damaged) -> list[ParsedRow]:
        """Returns rows that were read as watched but do not come from watched rows.

        For tables, the damage records where it moved the rows. Other rows are identified by title, id, or the remaining
        text. A doubled row may begin within its title, and may contain damaged bytes.
        """
        said = [row for row in rows if row.kind == "watched" and not row.problem and not row.medium]
        allowed = self.watched if kind in WHOLE_CELLS else self.watched | self.denied
        file = PurePosixPath(damaged.file).name
        is_one = sum(PurePosixPath(path).name == file for path in self.upload.files) == 1
        origins = dict(damaged.origins) if is_one else {}
        moved = [row for row in said if origins and row.file == file]
        others = [row for row in said if row not in moved and not self._names(row)]
        texts = texts_of(damaged.name, damaged.content) if others else {}
        return [row for row in moved if (row.file, origins.get(row.line, 0)) not in allowed] + [
            row for row in others if self._most_like(texts.get((row.file, row.line), ""), allowed) not in allowed
        ]

    def _names(self, row: ParsedRow) -> bool:
        return row.imdb_id in self.ids or str(row.tmdb_id) in self.ids or self._knows(_folded(row.title))

    def _knows(self, title: str) -> bool:
        start, end = title[:KNOWN_BY], title[-KNOWN_BY:]
        return bool(title) and any(known.startswith(start) or known.endswith(end) for known in self.titles)

    def _most_like(self, text: str, preferred: frozenset[Place]) -> Place | None:
        matcher = SequenceMatcher(None, "", text, autojunk=False)
        best: tuple[float, bool, Place | None] = (ALIKE, False, None)
        for place, sound in self.texts.items():
            matcher.set_seq1(sound)
            if matcher.quick_ratio() >= best[0]:
                best = max(best, (matcher.ratio(), place in preferred, place), key=lambda found: found[:2])
        return best[2]


@cache
def sound_uploads() -> list[Sound]:
    return [_sound(case) for case in cases()]


def _sound(case: Case) -> Sound:
    watched = [row for row in case.rows if row["watched"]]
    names = {row["movie"] for row in watched}
    movies = [movie for movie in catalogue() if f"{movie['title']} ({movie['year']})" in names]
    return Sound(
        case,
        Upload(case.upload, case.files),
        texts_of(case.upload, case.content),
        watched=frozenset((row["file"], int(row["line"])) for row in watched),
        denied=frozenset((file, line) for file, lines in case.expected.get("denied", {}).items() for line in lines),
        titles=frozenset(_folded(movie[name]) for movie in movies for name in ("title", "original_title")) - {""},
        ids=frozenset(movie[name] for movie in movies for name in ("imdb_id", "tmdb_id")) - {""},
    )


def texts_of(name: str, content: bytes) -> dict[Place, str]:
    """Returns the text of each row that can be distinguished from others."""
    found: dict[Place, str] = {}
    with suppress(InvalidImport):
        for file in files_of(name, content):
            with suppress(InvalidImport):
                for table in tables_of(file) if file.content else []:
                    found |= {(file.name, record.line): _text(record) for record in table.records}
    return found


def _text(record: Record) -> str:
    return " ".join(str(value)[:LONGEST] for value in record.values.values())


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())
