"""Which movie of the catalogue a row means: by its ids, else by title and year. In doubt none, and why.

The year may be off by one, for sites count from different premieres. Of several movies that fit equally well none is
taken, nor one whose ids say that it is another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from catalog.imports.parsing import ParsedRow
from catalog.ingest.titles import Name, also_called
from catalog.models import AlternativeTitle, Movie

YEARS_OFF = 1
_IDS = ("imdb_id", "tmdb_id", "movielens_id")
# How well a name fits, best first.
EXACT, WORDS, ANOTHER_NAME, LOOSE = range(4)
NAMED = 3  # movies in a reason

Identity = tuple[object, ...]


class Match(NamedTuple):
    """`is_near`: by a year that is off."""

    movie_id: int | None
    reason: str = ""
    is_near: bool = False


@dataclass(slots=True)
class _Candidate:
    movie_id: int
    title: str
    year: int | None
    ids: tuple[str | None, int | None, int | None]
    names: list[tuple[Name, bool]] = field(default_factory=list)  # the latter: it is the movie's own title

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title


class _Fit(NamedTuple):
    years_off: int
    name: int
    candidate: _Candidate


def match_rows(rows: Sequence[ParsedRow]) -> list[Match]:
    """In the order of the rows; the catalogue is gone through once, whatever their number."""
    sound = [row for row in rows if not row.problem]
    wanted = {_identity(row): row for row in sound}
    catalogue = _Catalogue(wanted.values())
    found = {identity: catalogue.match(row) for identity, row in wanted.items()}
    _settle_claims(wanted, found)
    for identity in _told_apart(sound):
        found[identity] = Match(None, "The file has two movies of this name and year.")
    return [Match(None, row.problem) if row.problem else found[_identity(row)] for row in rows]


def _identity(row: ParsedRow) -> Identity:
    return (row.title, row.original_title, row.year, row.imdb_id, row.tmdb_id, row.movielens_id)


class _Catalogue:
    """The movies that any of the rows may mean."""

    def __init__(self, rows: Iterable[ParsedRow]) -> None:
        self._by_name: dict[str, list[_Candidate]] = defaultdict(list)
        self._by_id: dict[tuple[str, object], _Candidate] = {}
        ids: set[tuple[str, object]] = set()
        self._names: dict[str, Name] = {}  # of the rows' titles
        for row in rows:
            ids.update((name, value) for name in _IDS if (value := getattr(row, name)))
            self._names.update((title, Name.of(title)) for title in _titles(row))
        self._read(ids, {name.loose for name in self._names.values()})

    def _read(self, ids: set[tuple[str, object]], names: set[str]) -> None:
        alternatives: dict[int, list[str]] = defaultdict(list)
        for movie_id, title in AlternativeTitle.objects.order_by().values_list("movie_id", "title").iterator():
            if Name.of(title).loose in names:
                alternatives[movie_id].append(title)
        rows = Movie.objects.order_by("pk").values_list("pk", "title", "original_title", "year", *_IDS)
        for movie_id, title, original, year, *movie_ids in rows.iterator(chunk_size=5000):
            candidate = _Candidate(movie_id, title, year, tuple(movie_ids))
            others = [original, *also_called(title), *alternatives.get(movie_id, ())]
            all_names = [(Name.of(title), True), *((Name.of(other), False) for other in others if other)]
            candidate.names = [(name, is_own) for name, is_own in all_names if name.loose in names]
            for loose in {name.loose for name, _ in candidate.names}:
                self._by_name[loose].append(candidate)
            for key in zip(_IDS, movie_ids, strict=True):
                if key in ids:
                    self._by_id[key] = candidate

    def match(self, row: ParsedRow) -> Match:
        by_id = {name: self._by_id.get((name, getattr(row, name))) for name in _IDS}
        found = {candidate.movie_id: candidate for candidate in by_id.values() if candidate}
        if len(found) > 1:
            return Match(None, f"Its ids are those of different movies: {_listed(found.values())}.")
        if found:
            return Match(next(iter(found)))
        if row.medium:
            return Match(None, f"Not a movie: {row.medium}.")
        return self._by_title(row)

    def _by_title(self, row: ParsedRow) -> Match:
        fits = sorted(self._fits(row), key=lambda fit: fit[:2])
        if not fits:
            return Match(None, self._why_not(row))
        best = fits[0]
        rivals = [fit for fit in fits[1:] if _is_rival(fit, best)]
        if rivals:
            return Match(None, f"Several movies fit: {_listed(fit.candidate for fit in [best, *rivals])}.")
        return Match(best.candidate.movie_id, is_near=best.years_off > 0)

    def _fits(self, row: ParsedRow) -> Iterator[_Fit]:
        names = [self._names[title] for title in _titles(row)]
        for candidate in self._same_name(row):
            years_off = _years_off(row, candidate)
            fit = min(_fit(theirs, name, is_own) for theirs in names for name, is_own in candidate.names)
            is_close = years_off <= YEARS_OFF and not (fit == LOOSE and (years_off or row.year is None))
            if is_close and not _is_another(row, candidate):
                yield _Fit(years_off, fit, candidate)

    def _same_name(self, row: ParsedRow) -> list[_Candidate]:
        found = {
            candidate.movie_id: candidate
            for title in _titles(row)
            for candidate in self._by_name.get(self._names[title].loose, ())
        }
        return list(found.values())

    def _why_not(self, row: ParsedRow) -> str:
        same_name = self._same_name(row)
        if not same_name:
            return "Not in the catalogue."
        if row.year is None:
            return f"The year is missing; the catalogue has {_listed(same_name)}."
        return f"Not in the catalogue, which has {_listed(same_name)}."


def _titles(row: ParsedRow) -> list[str]:
    return [title for title in (row.title, row.original_title) if title]


def _years_off(row: ParsedRow, candidate: _Candidate) -> int:
    """An row without a year fits any; a movie without one fits no year."""
    if row.year is None:
        return 0
    return YEARS_OFF + 1 if candidate.year is None else abs(row.year - candidate.year)


def _fit(theirs: Name, name: Name, is_own: bool) -> int:
    if theirs.exact == name.exact:
        return EXACT if is_own else ANOTHER_NAME
    if theirs.words == name.words:
        return WORDS if is_own else ANOTHER_NAME
    return LOOSE


def _is_another(row: ParsedRow, candidate: _Candidate) -> bool:
    """By an id that is not the row's."""
    pairs = zip((getattr(row, name) for name in _IDS), candidate.ids, strict=True)
    return any(theirs and ours and theirs != ours for theirs, ours in pairs)


def _is_rival(fit: _Fit, best: _Fit) -> bool:
    """As good as the best one; or, where that is found by another name only, one that has the very name."""
    return fit[:2] == best[:2] or best.name >= ANOTHER_NAME > fit.name


def _settle_claims(wanted: dict[Identity, ParsedRow], found: dict[Identity, Match]) -> None:
    """A movie that a row of its own year means is not that of another row, a year off; of two rows, a year off to
    either side, it is neither's."""
    by_movie: dict[int, list[Identity]] = defaultdict(list)
    for identity, match in found.items():
        if match.movie_id is not None:
            by_movie[match.movie_id].append(identity)
    for identities in by_movie.values():
        for identity in [identity for identity in identities if found[identity].is_near]:
            others = [wanted[other] for other in identities if wanted[other].year != wanted[identity].year]
            if others:
                reason = f"Not in the catalogue, where {others[0].title} is that of {others[0].year}."
                found[identity] = Match(None, reason)


def _told_apart(rows: Iterable[ParsedRow]) -> set[Identity]:
    """Names that a file has for two movies of one year, by their addresses: which is which is not to be known."""
    addresses: dict[tuple[str, Identity], set[str]] = defaultdict(set)
    for row in rows:
        if row.site_id:
            addresses[row.file, _identity(row)].add(row.site_id)
    return {identity for (_, identity), found in addresses.items() if len(found) > 1}


def _listed(candidates: Iterable[_Candidate]) -> str:
    names = [str(candidate) for candidate in candidates]
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
