"""Matches imported rows to movies: by id, otherwise by title and year.

An ambiguous row matches no movie, and its reasons explain why. The year may differ by one, because sites use different
premieres.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from catalog.imports.fields import ParsedRow
from catalog.ingest.identity import PUBLIC_IDS, Candidate, Candidates, ids_of
from catalog.ingest.titles import Name
from catalog.models.reasons import Code, Reason

TYPE_LENGTH = 40
YEARS_OFF = 1
YEARS_OFF_BY_ID = 2  # if both the id and the title match
# Quality of a name match, best first.
EXACT, WORDS, ANOTHER_NAME, LOOSE = range(4)

Identity = tuple[object, ...]


class Match(NamedTuple):
    """The result for one row. `reasons` explain why there is no movie. `is_near` is set if the year differs by one.

    `identity` and `choice` are set by `remembered.Remembered`.
    """

    movie_id: int | None
    reasons: tuple[Reason, ...] = ()
    is_near: bool = False
    identity: Mapping[str, Any] = {}
    choice: str = ""


def _none(reason: Reason) -> Match:
    return Match(None, (reason,))


NOT_FOUND = _none(Code.NOT_FOUND())


class _Fit(NamedTuple):
    years_off: int
    name: int
    candidate: Candidate


def match_rows(rows: Sequence[ParsedRow], *, nearby: bool = False) -> list[Match]:
    """Returns one match per row, in order. The number of queries does not grow with the number of rows.

    `nearby` restricts the query to movies around the rows' years, which is faster for few rows. The matches are the
    same, but the reasons do not mention movies of other years.
    """
    sound = [row for row in rows if not row.problem]
    wanted = {_identity(row): row for row in sound}
    titles = {title for row in wanted.values() for meant in _meanings(row) for title in _titles(meant)}
    years = _years_about(wanted.values()) if nearby else None
    candidates = Candidates(ids=ids_of(wanted.values()), titles=titles, years=years)
    found = {identity: _match(row, candidates) for identity, row in wanted.items()}
    _settle_claims(wanted, found)
    for identity in _ambiguous_names(sound):
        found[identity] = _none(Code.SAME_NAME())
    return [Match(None, row.problem) if row.problem else found[_identity(row)] for row in rows]


def _years_about(rows: Iterable[ParsedRow]) -> set[int] | None:
    """Returns all years that a match may have; None if any year is possible."""
    years = {meant.year for row in rows for meant in _meanings(row)}
    if None in years:
        return None
    return {year + off for year in years if year for off in range(-YEARS_OFF, YEARS_OFF + 1)}


def _identity(row: ParsedRow) -> Identity:
    return (row.title, row.original_title, row.year, row.imdb_id, row.tmdb_id, row.movielens_id, row.medium)


def _titles(row: ParsedRow) -> list[str]:
    return [title for title in (row.title, row.original_title) if title]


def _meanings(row: ParsedRow) -> Iterator[ParsedRow]:
    """Yields the row with its literal title, then with each alternative interpretation of it."""
    yield row
    for reading in row.readings:
        if None in (row.year, reading.year) or row.year == reading.year:
            yield replace(row, title=reading.title, year=row.year or reading.year)


def _match(row: ParsedRow, candidates: Candidates) -> Match:
    by_id = [candidates.by_id.get(name, getattr(row, name)) for name in PUBLIC_IDS]
    found = _distinct(candidate for candidate in by_id if candidate)
    if len(found) > 1:
        return _none(Code.IDS_DIFFER(movies=_names(found)))
    meanings = list(_meanings(row))
    if found:
        if any(_agrees(meant, found[0], candidates) for meant in meanings):
            return Match(found[0].pk)
        return _none(Code.ID_CONTRADICTED(movie=str(found[0])))
    if row.medium:
        return _none(Code.NOT_A_MOVIE(type=row.medium[:TYPE_LENGTH]))
    matches = [_match_title(meant, candidates) for meant in meanings if _titles(meant)]
    return next((match for match in matches if match.movie_id), None) or _best_reason(matches)


def _best_reason(matches: list[Match]) -> Match:
    return next((match for match in reversed(matches) if match != NOT_FOUND), NOT_FOUND)


def _agrees(row: ParsedRow, movie: Candidate, candidates: Candidates) -> bool:
    """Returns whether the row's title and year are consistent with the movie that its id refers to.

    A title that the catalogue does not know, such as a translation, is consistent unless it names another movie of the
    same year.
    """
    years_off = _years_off(row, movie) if movie.year else 0
    if any(candidates.spellings[title].loose in movie.loose_names for title in _titles(row)):
        return years_off <= YEARS_OFF_BY_ID
    others = (other for other in candidates.named(_titles(row)) if _years_off(row, other) <= YEARS_OFF)
    return years_off <= YEARS_OFF and not any(others)


def _match_title(row: ParsedRow, candidates: Candidates) -> Match:
    fits = sorted(_fits(row, candidates), key=lambda fit: fit[:2])
    if not fits:
        return _none(_why_not(row, candidates))
    best = fits[0]
    rivals = _distinct(fit.candidate for fit in fits if fit is best or _is_rival(fit, best))
    if len(rivals) > 1:
        return _none(Code.SEVERAL(movies=_names(rivals)))
    return Match(rivals[0].pk, is_near=best.years_off > 0)


def _distinct(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Removes duplicates of the same film. Of each set of duplicates, keeps the movie with the most ids."""
    found: list[Candidate] = []
    for candidate in candidates:
        same = next((number for number, other in enumerate(found) if candidate.is_same_film(other)), None)
        if same is None:
            found.append(candidate)
        else:
            found[same] = max(found[same], candidate, key=lambda one: (one.n_ids, -one.pk))
    return found


def _fits(row: ParsedRow, candidates: Candidates) -> Iterator[_Fit]:
    names = [candidates.spellings[title] for title in _titles(row)]
    for candidate in candidates.named(_titles(row)):
        years_off = _years_off(row, candidate)
        fit = min(_fit(theirs, name, is_own) for theirs in names for name, is_own in candidate.names)
        is_close = years_off <= YEARS_OFF and not (fit == LOOSE and (years_off or row.year is None))
        if is_close and not _has_another_id(row, candidate):
            yield _Fit(years_off, fit, candidate)


def _why_not(row: ParsedRow, candidates: Candidates) -> Reason:
    same_name = candidates.named(_titles(row))
    if not same_name:
        return Code.NOT_FOUND()
    if row.year is None:
        return Code.NO_YEAR(movies=_names(same_name))
    return Code.ONLY_OTHERS(movies=_names(same_name))


def _years_off(row: ParsedRow, candidate: Candidate) -> int:
    """Returns the difference in years. A row without a year fits any movie; an undated movie fits no dated row."""
    if row.year is None:
        return 0
    return YEARS_OFF + 1 if candidate.year is None else abs(row.year - candidate.year)


def _fit(theirs: Name, name: Name, is_own: bool) -> int:
    if theirs.exact == name.exact:
        return EXACT if is_own else ANOTHER_NAME
    if theirs.words == name.words:
        return WORDS if is_own else ANOTHER_NAME
    return LOOSE


def _has_another_id(row: ParsedRow, candidate: Candidate) -> bool:
    pairs = ((getattr(row, name), getattr(candidate, name)) for name in PUBLIC_IDS)
    return any(theirs and ours and theirs != ours for theirs, ours in pairs)


def _is_rival(fit: _Fit, best: _Fit) -> bool:
    """Returns whether a fit rivals the best: equally good, or on the main title if the best is on another name."""
    return fit[:2] == best[:2] or best.name >= ANOTHER_NAME > fit.name


def _settle_claims(wanted: dict[Identity, ParsedRow], found: dict[Identity, Match]) -> None:
    """Drops matches whose year differs by one if a row with a different year matches the same movie."""
    by_movie: dict[int, list[Identity]] = defaultdict(list)
    for identity, match in found.items():
        if match.movie_id is not None:
            by_movie[match.movie_id].append(identity)
    for identities in by_movie.values():
        for identity in [identity for identity in identities if found[identity].is_near]:
            others = [wanted[other] for other in identities if wanted[other].year != wanted[identity].year]
            if others:
                found[identity] = _none(Code.ANOTHER_YEAR(title=others[0].title, year=others[0].year))


def _ambiguous_names(rows: Iterable[ParsedRow]) -> set[Identity]:
    """Returns the identities that several movies of a file share. Only their URLs at the site differ."""
    addresses: dict[tuple[str, Identity], set[str]] = defaultdict(set)
    for row in rows:
        if row.site_id:
            addresses[row.file, _identity(row)].add(row.site_id)
    return {identity for (_, identity), found in addresses.items() if len(found) > 1}


def _names(candidates: Iterable[Candidate]) -> list[str]:
    return [str(candidate) for candidate in candidates]
