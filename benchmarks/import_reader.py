"""Passes damaged uploads to the reader of previews, and counts failures and guesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from random import Random

from benchmarks.mutation_outcome import Outcome
from benchmarks.mutations import MUTATIONS, Damaged, damage
from benchmarks.sound_uploads import Sound, sound_uploads
from catalog.errors import InvalidImport
from catalog.imports.fields import ParsedRow
from catalog.imports.formats import read_upload

Reader = Callable[[str, str, bytes], list[ParsedRow]]


def parse(format: str, name: str, content: bytes) -> list[ParsedRow]:
    return read_upload(format=format, name=name, content=content).rows


def check(seed: int, numbers: Iterable[int], read: Reader = parse) -> dict[str, Outcome]:
    """Damages and reads the uploads with these numbers. Returns the outcomes by kind of damage."""
    found = {kind: Outcome() for kind in MUTATIONS}
    for number in numbers:
        sound, kind, new = damaged(seed, number)
        found[kind].add(outcome_of(sound, kind, number, new, read))
    return found


def damaged(seed: int, number: int) -> tuple[Sound, str, Damaged]:
    """Returns the sound upload, the kind of damage, and the damaged upload. Deterministic."""
    random = Random(f"{seed}:{number}")
    sound, kind = random.choice(sound_uploads()), random.choice(list(MUTATIONS))
    return sound, kind, damage(kind, sound.upload, random)


def outcome_of(sound: Sound, kind: str, number: int, new: Damaged, read: Reader = parse) -> Outcome:
    outcome = Outcome(Counter(uploads=1))
    try:
        rows = read(sound.case.format, new.name, new.content)
    except InvalidImport:
        outcome.counts["refused"] += 1
        return outcome
    except Exception as error:
        outcome.counts["raised"] += 1
        outcome.examples["raised"].append((number, f"{sound.case.name}: {type(error).__name__}: {str(error)[:80]}"))
        return outcome
    wrong = sound.wrong(rows, kind, new)
    outcome.counts += Counter({"rows": len(rows), "wrongly watched": len(wrong)})
    outcome.counts["not readable"] += sum(bool(row.problem) for row in rows)
    if wrong:
        what = f"{sound.case.name}: {wrong[0].title[:60]!r} is taken for watched"
        outcome.examples["watched"].append((number, what))
    return outcome
