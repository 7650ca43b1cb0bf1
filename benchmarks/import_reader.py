"""Gives damaged uploads to the reader that previews use, and counts what it fails at or guesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from random import Random

from benchmarks.mutations import MUTATIONS, Outcome, Upload, damage
from catalog.errors import InvalidImport
from catalog.imports.fields import ParsedRow
from catalog.imports.formats import read_upload
from tests.catalog.imports.case_files import Case, cases, catalogue

TO_COME = "2093"  # the year of dates to come in the cases: damage may bring one into the past, and so make it count

KNOWN_BY = 4  # characters at the start or the end of a title

Reader = Callable[[str, str, bytes], list[ParsedRow]]


@dataclass(frozen=True)
class Sound:
    """A sound upload, with the places, titles and ids of the rows that it calls watched.

    A doubled row may begin within its title, and bytes may get into it.
    """

    case: Case
    upload: Upload
    places: frozenset[tuple[str, int]]
    titles: frozenset[str]
    ids: frozenset[str]

    def calls_watched(self, row: ParsedRow) -> bool:
        is_known = row.imdb_id in self.ids or str(row.tmdb_id) in self.ids
        return is_known or self._knows(_folded(row.title)) or (row.file, row.line) in self.places

    def _knows(self, title: str) -> bool:
        start, end = title[:KNOWN_BY], title[-KNOWN_BY:]
        return bool(title) and any(known.startswith(start) or known.endswith(end) for known in self.titles)


def parse(format: str, name: str, content: bytes) -> list[ParsedRow]:
    return read_upload(format=format, name=name, content=content).rows


def check(seed: int, numbers: Iterable[int], read: Reader = parse) -> dict[str, Outcome]:
    """Damages and reads the uploads of these numbers; returns what came of them by the kind of damage."""
    found = {kind: Outcome() for kind in MUTATIONS}
    for number in numbers:
        sound, kind, name, content = damaged(seed, number)
        found[kind].add(outcome_of(sound, number, name, content, read))
    return found


def damaged(seed: int, number: int) -> tuple[Sound, str, str, bytes]:
    """The sound upload, the kind of damage, and the damaged upload's name and content; always the same ones."""
    random = Random(f"{seed}:{number}")
    sound, kind = random.choice(_sound_uploads()), random.choice(list(MUTATIONS))
    return sound, kind, *damage(kind, sound.upload, random)


def outcome_of(sound: Sound, number: int, name: str, content: bytes, read: Reader = parse) -> Outcome:
    outcome = Outcome(Counter(uploads=1))
    try:
        rows = read(sound.case.format, name, content)
    except InvalidImport:
        outcome.counts["refused"] += 1
        return outcome
    except Exception as error:
        outcome.counts["raised"] += 1
        outcome.examples["raised"].append((number, f"{sound.case.name}: {type(error).__name__}: {str(error)[:80]}"))
        return outcome
    wrong = [row for row in rows if _is_watched(row) and not sound.calls_watched(row)]
    outcome.counts += Counter({"rows": len(rows), "wrongly watched": len(wrong)})
    outcome.counts["not readable"] += sum(bool(row.problem) for row in rows)
    if wrong:
        what = f"{sound.case.name}: {wrong[0].title[:60]!r} is taken for watched"
        outcome.examples["watched"].append((number, what))
    return outcome


def _is_watched(row: ParsedRow) -> bool:
    return row.kind == "watched" and not row.problem and not row.medium


@cache
def _sound_uploads() -> list[Sound]:
    return [_sound(case) for case in cases()]


def _sound(case: Case) -> Sound:
    """Titles are those that stand in the rows, and those of the movies that the case expects to be found."""
    watched = [row for row in case.rows if row["watched"]]
    names = {row["movie"] for row in watched}
    places = frozenset((row["file"], int(row["line"])) for row in watched)
    movies = [movie for movie in catalogue() if f"{movie['title']} ({movie['year']})" in names]
    titles = {_folded(movie["title"]) for movie in movies}
    lines = [line for content in case.files.values() for line in content.decode().splitlines() if TO_COME in line]
    titles |= {_folded(line.partition(",")[0]) for line in lines}
    ids = frozenset(movie[name] for movie in movies for name in ("imdb_id", "tmdb_id")) - {""}
    with suppress(InvalidImport):  # a shape that the reader does not know yet
        rows = parse(case.format, case.upload, case.content)
        titles |= {_folded(row.title) for row in rows if (row.file, row.line) in places and row.title}
    return Sound(case, Upload(case.upload, case.files), places, frozenset(titles), ids)


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())
