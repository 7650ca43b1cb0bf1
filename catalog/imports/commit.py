"""Services for the owner of an import preview: answer its questions, or commit it in one transaction."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.errors import ImportNotReady
from catalog.imports.changes import Changes, changes_of
from catalog.imports.lifecycle import create_import
from catalog.imports.reading import Answers
from catalog.imports.remembered import lock_user
from catalog.ingest.rows import insert_rows
from catalog.jobs.queue import enqueue
from catalog.models import Movie, Note, Rating, UserImport, Viewing, WatchlistItem
from catalog.progress import chunks
from catalog.signals import rating_recorded

BATCH = 500
IDS_PER_QUERY = 900  # below SQLite's parameter limit in every build


def answer_questions(user_import: UserImport, *, answers: Answers, trigger: str) -> UserImport:
    """Replaces this import by one that reads the file again with its owner's answers. Raises ImportNotReady."""
    if user_import.state != UserImport.State.READY or not user_import.content:
        raise ImportNotReady(_("{name} asks nothing.").format(name=user_import.name))
    again = create_import(
        user=user_import.user,
        format=user_import.format,
        name=user_import.name,
        content=bytes(user_import.content),
        trigger=trigger,
        answers=user_import.answers | dict(answers),
    )
    transaction.on_commit(lambda: enqueue(again))
    return again


def commit_import(user_import: UserImport) -> UserImport:
    """Imports all matched rows in one transaction. Calling it again changes nothing. Raises ImportNotReady.

    Unmatched rows are kept with their reasons until the policy's retention period ends, or a movie is chosen for them.
    """
    with transaction.atomic():
        lock_user(user_import.user)
        now = UserImport.objects.filter(pk=user_import.pk).defer("content").first()
        if now and now.state == UserImport.State.DONE:
            return now
        if now is None or now.state != UserImport.State.READY:
            state = UserImport.State(now.state).label if now else _("discarded")
            message = _("{name} is {state}; it can be imported once it has been read.")
            raise ImportNotReady(message.format(name=user_import.name, state=state))
        user_import.counts |= write_matched(user_import)
        user_import.committed_at, user_import.content = timezone.now(), b""
        user_import.report.pop("columns", None)  # values of the file
        user_import.save(update_fields=["counts", "committed_at", "content", "report"])
    return user_import


def write_matched(user_import: UserImport) -> dict[str, int]:
    """Imports the matched rows, deletes them, and returns what they changed. Call `lock_user` first."""
    rated = Movie.objects.filter(pk__in=user_import.rows.values("movie")).order_by("pk")
    # locked: none can be deleted from here on
    list(rated.select_for_update(no_key=True).values_list("pk", flat=True))
    list(user_import.user.lists.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    changes = changes_of(user_import)
    _write(changes)
    user_import.rows.exclude(movie=None).delete()
    return changes.counts()


def _write(changes: Changes) -> None:
    _insert(Rating, changes.new_ratings)
    Rating.objects.bulk_update(changes.changed_ratings, ["rating", "rated_at", "source"], batch_size=BATCH)
    for (count, total), movie_ids in changes.rated_alike.items():
        for ids in chunks(movie_ids, IDS_PER_QUERY):
            movies = Movie.objects.filter(pk__in=ids)
            movies.update(rating_count=F("rating_count") + count, rating_sum=F("rating_sum") + total)
    for ids in chunks(changes.outdated_viewings, IDS_PER_QUERY):
        Viewing.objects.filter(pk__in=ids, note="").delete()
    _insert(Viewing, changes.new_viewings, ignore_conflicts=True)
    Viewing.objects.bulk_update(changes.noted_viewings, ["note"], batch_size=BATCH)
    _insert(Note, changes.new_notes, ignore_conflicts=True)
    for ids in chunks(changes.left_watchlist, IDS_PER_QUERY):
        WatchlistItem.objects.filter(user=changes.user, movie__in=ids).delete()
    _insert(WatchlistItem, changes.new_watchlist, ignore_conflicts=True)
    changes.lists.write()
    transaction.on_commit(partial(_announce, [*changes.new_ratings, *changes.changed_ratings]))


def _insert(model: type[Model], objects: Sequence[Model], *, ignore_conflicts: bool = False) -> None:
    columns = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    rows = ([getattr(row, column) for column in columns] for row in objects)
    insert_rows(model, columns, rows, ignore_conflicts=ignore_conflicts)


def _announce(ratings: Sequence[Rating]) -> None:
    for row in ratings:
        rating_recorded.send_robust(sender=Rating, user_id=row.user_id, movie_id=row.movie_id, rating=row.rating)
