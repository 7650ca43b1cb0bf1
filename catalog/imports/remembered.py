"""Movies that users chose for unmatched rows, remembered for later rows of the same identity."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext

from catalog.errors import InvalidMatch
from catalog.imports.fields import ParsedRow
from catalog.imports.matching import Match
from catalog.ingest.identity import PUBLIC_IDS
from catalog.ingest.titles import Name
from catalog.models import ImportRow, MatchChoice, Movie, User
from catalog.models.match_choice import Matched
from catalog.models.reasons import Code

Identity = Mapping[str, Any]
Choice = Matched.Choice

KINDS = (*PUBLIC_IDS, "site_id", "title")  # the first one that two identities share decides whether they are the same
NOT_IMPORTED = (ImportRow.Kind.NOTHING, ImportRow.Kind.UNREADABLE)
LONGEST = 300  # of an id at a site


def identity_of(row: ParsedRow, format: str, *, is_title_shared: bool = False) -> dict[str, Any]:
    """Returns the row's ids. Without a public id, also its title and year, which mean the same in every file of a site.

    `is_title_shared` is set if other movies of the file have the same title and year.
    """
    ids = {name: value for name in PUBLIC_IDS if (value := getattr(row, name))}
    site_id = {"site_id": f"{format} {row.site_id}"} if 0 < len(row.site_id) <= LONGEST else {}
    if ids or not row.title or is_title_shared:
        return ids | site_id
    return site_id | {"title": f"{format} {row.year or ''} {Name.of(row.title).words}"}


def is_same(one: Identity, other: Identity) -> bool:
    shared = next((kind for kind in KINDS if kind in one and kind in other), None)
    return shared is not None and one[shared] == other[shared]


class Remembered:
    """The choices of a user, read with one query."""

    def __init__(self, user: User) -> None:
        self._found: dict[tuple[str, Any], list[MatchChoice]] = defaultdict(list)
        self.n_choices = 0
        for choice in user.match_choices.all():
            self.n_choices += 1
            for kind, value in choice.identity.items():
                self._found[kind, value].append(choice)

    def of(self, identity: Identity) -> Iterator[MatchChoice]:
        """Yields the choices for this identity, those that share the best id first."""
        for kind in KINDS:
            choices = self._found.get((kind, identity.get(kind)), ())
            yield from (choice for choice in choices if is_same(choice.identity, identity))

    def apply(self, rows: Sequence[ParsedRow], matches: Iterable[Match], format: str) -> list[Match]:
        """Returns the matches with the user's choices. A chosen movie replaces one that was found by id or title."""
        return [self._apply(row, match, format) for row, match in zip(rows, matches, strict=True)]

    def _apply(self, row: ParsedRow, match: Match, format: str) -> Match:
        is_known = match.movie_id is not None and not self.n_choices
        if is_known or row.problem or row.medium or row.kind in NOT_IMPORTED:
            return match
        is_title_shared = any(code == Code.SAME_NAME for code, _params in match.reasons)
        identity = identity_of(row, format, is_title_shared=is_title_shared)
        choice = next(self.of(identity), None)
        if choice is None:
            return match if match.movie_id else match._replace(identity=identity)
        if choice.movie_id is None:  # none of the suggestions of that time; a movie found now is another one
            return match if match.movie_id else match._replace(identity=identity, choice=Choice.NONE)
        return Match(choice.movie_id, match.reasons, identity=identity, choice=Choice.MOVIE)


def lock_user(user: User) -> None:
    """Makes other choices, commits and uploads of the user wait until the transaction ends."""
    list(User.objects.select_for_update(no_key=True).filter(pk=user.pk))


def remember(*, row: Matched, user: User, movie: Movie | None) -> None:
    """Remembers the choice for the row's identity, in place of an earlier one. Raises InvalidMatch at the limit.

    Call `lock_user` first. A row without identity, from an earlier release, is not remembered.
    """
    if not row.identity:
        return
    remembered, most = Remembered(user), settings.POLICY.imports.max_choices
    former = [choice.pk for choice in remembered.of(row.identity)]
    if not former and remembered.n_choices >= most:
        text = gettext("Expected at most {most} remembered choices; remove some of them first.")
        raise InvalidMatch(text.format(most=most))
    MatchChoice.objects.filter(pk__in=former).delete()
    MatchChoice.objects.create(user=user, identity=row.identity, title=row.title, year=row.year, movie=movie)


def forget(*, identity: Identity, user: User) -> None:
    """Forgets what was chosen for an identity."""
    MatchChoice.objects.filter(pk__in=[choice.pk for choice in Remembered(user).of(identity)]).delete()


def choices_of(user: User) -> QuerySet[MatchChoice]:
    """Returns the remembered choices, latest first."""
    return user.match_choices.select_related("movie")
