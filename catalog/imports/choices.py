"""Services for the owner of an import: choose the movie of an unmatched row, undo the choice, forget it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from catalog.errors import ImportNotReady, InvalidMatch, MovieNotFound, RowNotFound
from catalog.imports.changes import changes_of
from catalog.imports.commit import write_matched
from catalog.imports.fields import ParsedRow
from catalog.imports.matching import match_rows
from catalog.imports.remembered import Identity, forget, is_same, lock_user, remember
from catalog.ingest.identity import PUBLIC_IDS
from catalog.models import ImportRow, MatchChoice, Movie, User, UserImport
from catalog.models.match_choice import Matched

Choice = Matched.Choice
OPEN = (UserImport.State.READY, UserImport.State.DONE)


class Chosen(NamedTuple):
    """The result: the row, the number of rows that changed with it, and whether they were imported by this."""

    row: ImportRow
    n_rows: int
    is_imported: bool = False


def choose_movie(*, user: User, row_id: int, movie_id: int | None) -> Chosen:
    """Matches an unmatched row, and all of the same identity, with a movie. Remembers it for later files and events.

    Without a movie it remembers that none of the suggestions is right. In the preview, counts and effect follow. After
    the commit, the rows are imported at once. Repeating it changes nothing. Raises RowNotFound, MovieNotFound,
    InvalidMatch, ImportNotReady.
    """
    with transaction.atomic():
        row = _locked_row(user, row_id)
        movie = locked_movie(movie_id)
        if not row.is_matchable:
            raise InvalidMatch
        remember(row=row, user=user, movie=movie)
        same = [other.pk for other in _of_identity(row.user_import, row.identity)] if row.identity else []
        row.movie, row.choice = movie, Choice.MOVIE if movie else Choice.NONE
        n_rows = row.user_import.rows.filter(pk__in={row.pk, *same}).update(movie=movie, choice=row.choice)
        if not n_rows:  # discarded in the meantime
            raise RowNotFound
        is_imported = bool(movie) and row.user_import.state == UserImport.State.DONE
        _count(row.user_import)
    return Chosen(row, n_rows, is_imported)


def undo_choice(*, user: User, row_id: int) -> Chosen:
    """Forgets the choice for a row, which is matched as before. Raises RowNotFound, InvalidMatch, ImportNotReady."""
    with transaction.atomic():
        row = _locked_row(user, row_id)
        if not row.choice:
            raise InvalidMatch(_("Nothing was chosen for this row."))
        forget(identity=row.identity, user=user)
        same = {other.pk: other for other in _of_identity(row.user_import, row.identity)} | {row.pk: row}
        _match_again(same.values(), row.user_import)
    return Chosen(row, len(same))


def forget_choice(*, user: User, choice_id: int) -> bool:
    """Forgets a remembered choice, also in the open preview. Returns False if there was none. Imported data stays."""
    with transaction.atomic():
        lock_user(user)
        choice = MatchChoice.objects.filter(user=user, pk=choice_id).first()
        if choice is None:
            return False
        choice.delete()
        user_import = UserImport.objects.of(user).first()
        if user_import and user_import.state in OPEN:
            _match_again(_of_identity(user_import, choice.identity), user_import)
    return True


def locked_movie(movie_id: int | None) -> Movie | None:
    """Returns the movie, which cannot be deleted until the transaction ends. Raises MovieNotFound."""
    if movie_id is None:
        return None
    movie = Movie.objects.select_for_update(no_key=True).filter(pk=movie_id).first()
    if movie is None:
        raise MovieNotFound
    return movie


def _locked_row(user: User, row_id: int) -> ImportRow:
    lock_user(user)
    rows = ImportRow.objects.select_related("user_import").defer("user_import__content")
    row = rows.filter(pk=row_id, user_import__user=user).first()
    if row is None:
        raise RowNotFound
    if row.user_import.state not in OPEN:
        raise ImportNotReady(_("{name} is not read yet.").format(name=row.user_import.name))
    return row


def _of_identity(user_import: UserImport, identity: Identity) -> list[ImportRow]:
    """Returns the rows of the same identity that have no movie, or a chosen one."""
    rows = user_import.rows.filter(Q(movie=None) | ~Q(choice="")).exclude(identity={})
    return [row for row in rows if is_same(row.identity, identity) and row.is_matchable]


def _match_again(rows: Iterable[ImportRow], user_import: UserImport) -> None:
    """Withdraws the choices of these rows. A row with a reason was unmatched; in the preview, others are looked up."""
    chosen = {row.pk: row for row in rows if row.choice}
    is_preview = user_import.state == UserImport.State.READY
    matched = [row for row in chosen.values() if not row.reasons and is_preview]
    for row in chosen.values():
        row.movie, row.choice = None, ""
    for row, match in zip(matched, match_rows([_parsed(row) for row in matched], nearby=True), strict=True):
        row.movie_id, row.reasons = match.movie_id, [list(reason) for reason in match.reasons]
    ImportRow.objects.bulk_update(chosen.values(), ["movie", "choice", "reasons"], batch_size=100)
    _count(user_import)


def _parsed(row: ImportRow) -> ParsedRow:
    ids: dict[str, Any] = {name: value for name, value in row.identity.items() if name in PUBLIC_IDS}
    return ParsedRow(row.file, row.line, row.kind, title=row.title, year=row.year, **ids)


def _count(user_import: UserImport) -> None:
    """Updates the preview's counts and effect. After the commit, imports rows that have a movie now, and adds them."""
    counts = user_import.counts
    n_matched = user_import.rows.exclude(movie=None).count()
    if user_import.state == UserImport.State.DONE:
        changed = write_matched(user_import)
        n_more = n_matched
        counts |= {name: counts.get(name, 0) + n for name, n in changed.items()}
    else:
        n_more = n_matched - counts["matched"]
        counts |= changes_of(user_import).counts()
    not_found = counts.get("not_found", counts["unmatched"]) - n_more
    counts |= {"matched": counts["matched"] + n_more, "unmatched": counts["unmatched"] - n_more, "not_found": not_found}
    UserImport.objects.filter(pk=user_import.pk).update(counts=counts)
