"""The sync with Wikidata. Finds the item of each movie, fetches it with the labels it refers to, and writes both.

Each batch is written together with what is still due, so a killed sync continues where it stopped.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.errors import ProviderError, ProviderUnavailable
from catalog.jobs import queue
from catalog.jobs.heartbeat import beating
from catalog.jobs.progress import Pace
from catalog.models import Movie
from catalog.models.outcomes import Outcome
from catalog.models.wikidata import WikidataRecord, WikidataRun, WikipediaArticle
from catalog.providers.wikidata import AT_ONCE, MATCHED_AT_ONCE, WikidataClient, connect, in_batches
from catalog.providers.wikidata_documents import Entity
from catalog.providers.wikidata_films import Film, read_film
from catalog.providers.wikipedia import AT_ONCE as ARTICLES_AT_ONCE
from catalog.providers.wikipedia import leads, wiki_of
from catalog.sync.wikidata_batch import best_items, save_records, write_articles, write_films
from catalog.sync.wikidata_items import Items, known_items, language_codes, names
from catalog.sync.wikidata_job import RunLost, State, count, due, finish, open_run, stop
from catalog.sync.wikidata_pictures import PictureReader

logger = logging.getLogger(__name__)

NOTHING = read_film(Entity(0))
OnProgress = Callable[[WikidataRun], None]


def sync(
    *,
    trigger: str = WikidataRun.Trigger.COMMAND,
    limit: int | None = None,
    until: float | None = None,
    on_progress: OnProgress = lambda run: None,
) -> WikidataRun | None:
    """Syncs the movies that are due, at most `limit`. Stops early at `until` (in time.monotonic).

    Returns the run with its outcome, or None if another process is working on one. Raises ProviderUnavailable, without
    any changes, if Wikidata cannot be reached.
    """
    with connect() as client, beating():
        if not client.is_reachable():
            raise ProviderUnavailable(_("Wikidata cannot be reached. Nothing was changed."))
        run = open_run(trigger=trigger, limit=limit)
        if run is not None:
            _Worker(run, client, until, on_progress).work()
            run.refresh_from_db()
        return run


class _Worker:
    def __init__(self, run: WikidataRun, client: WikidataClient, until: float | None, on_progress: OnProgress) -> None:
        self._run = run
        self._client = client
        self._until = until
        self._on_progress = on_progress
        self._languages = settings.POLICY.wikidata.languages
        self._gone: set[int] = set()  # items that the query service still returns although they no longer exist
        self._reads_articles = True
        self._articles: dict[str, dict[str, str]] = {}
        self._pictures = PictureReader(run, client)
        self._pace = Pace(self._share())

    def work(self) -> None:
        try:
            self._work()
        except ProviderError as error:
            stop(self._run, error)
        except RunLost:
            logger.warning("Another worker has taken over %s", self._run)
        except (OperationalError, InterfaceError) as error:
            logger.exception("%s: the database failed", self._run)
            queue.fail(self._run, Outcome.DATABASE, status=WikidataRun.Status.ERRORED, error=str(error))

    def _work(self) -> None:
        while queue.heartbeat(self._run, **self._pace.at(self._share())):
            self._on_progress(self._run)
            if self._until is not None and time.monotonic() > self._until:
                queue.release(self._run)
                return
            movies = list(due().select_related("wikidata")[: self._size()])
            if self._pictures.read_some(rest=not movies):
                continue
            if not movies:
                finish(self._run)
                return
            if any(_qid(movie) is None for movie in movies):
                self._match()
            else:
                self._read([movie.wikidata for movie in movies])

    def _share(self) -> float:
        return self._run.n_done / max(1, self._run.n_due)

    def _size(self) -> int:
        left = AT_ONCE if self._run.limit is None else self._run.limit - self._run.n_done
        return max(0, min(AT_ONCE, left))

    def _match(self) -> None:
        """Finds the items of movies without one. Movies that are not found are retried after the refresh period."""
        movies = list(due().filter(Q(wikidata=None) | Q(wikidata__qid=None))[:MATCHED_AT_ONCE])
        imdb_ids = sorted({movie.imdb_id for movie in movies if movie.imdb_id})
        found = self._client.match(imdb_ids, sorted({movie.tmdb_id for movie in movies if movie.tmdb_id}))
        by_id = best_items(match for match in found if match.qid not in self._gone)
        found_of = {movie.pk: by_id.get(movie.imdb_id) or by_id.get(movie.tmdb_id) for movie in movies}
        absent = [movie for movie in movies if found_of[movie.pk] is None]
        rows = [
            WikidataRecord(movie=movie, qid=qid, state=State.MATCHED if qid else State.ABSENT)
            for movie in movies
            for qid in [found_of[movie.pk]]
        ]
        with transaction.atomic():
            write_films([(row, NOTHING) for row in rows if row.qid is None], {})
            WikipediaArticle.objects.filter(movie__in=absent).delete()
            save_records(rows)
            count(self._run, {State.ABSENT.value: len(absent)})

    def _read(self, records: Sequence[WikidataRecord]) -> None:
        found = self._client.films(sorted({int(record.qid or 0) for record in records}), self._languages)
        gone = [record for record in records if found[int(record.qid or 0)] is None]
        self._gone.update(int(record.qid or 0) for record in gone)
        for record in gone:
            record.qid = None
        pairs = [(record, film) for record in records if record.qid and (film := found[record.qid])]
        save_records(gone)
        films = [film for _, film in pairs]
        self._articles = self._leads(films)
        self._write(pairs, self._items(films))

    def _leads(self, films: Sequence[Film]) -> dict[str, dict[str, str]]:
        """Returns the opening paragraphs of articles, keyed by language and title.

        Languages whose Wikipedia failed are missing.
        """
        found: dict[str, dict[str, str]] = {}
        for language, _name in settings.LANGUAGES if self._reads_articles else ():
            titles = sorted({film.articles[wiki] for film in films if (wiki := wiki_of(language)) in film.articles})
            try:
                found[language] = in_batches(titles, ARTICLES_AT_ONCE, partial(self._take, language))
            except ProviderError as error:  # the facts are saved anyway, and the stored articles stay
                logger.warning("%s continues without articles: %s", self._run, error)
                self._reads_articles = False
        return found

    def _take(self, language: str, titles: Sequence[str]) -> dict[str, str]:
        queue.heartbeat(self._run)
        return leads(self._client.get, language, titles)

    def _items(self, films: Sequence[Film]) -> Items:
        fetch = partial(known_items, self._client, before_each=lambda: queue.heartbeat(self._run))
        named = fetch({number for film in films for number in film.items}, names)
        return named | fetch({number for film in films for number in film.languages}, language_codes)

    def _write(self, pairs: Sequence[tuple[WikidataRecord, Film]], items: Items) -> None:
        """Writes all movies in one transaction. If that fails, writes each in its own."""
        try:
            self._write_once(pairs, items)
        except (OperationalError, InterfaceError, SoftTimeLimitExceeded, RunLost):
            raise
        except Exception as error:
            if len(pairs) > 1:
                for pair in pairs:
                    self._write([pair], items)
                return
            self._failed(pairs[0][0], error)

    def _write_once(self, pairs: Sequence[tuple[WikidataRecord, Film]], items: Items) -> None:
        now = timezone.now()
        with transaction.atomic():
            outcomes = write_films(pairs, items)
            write_articles(pairs, self._articles)
            for record, film in pairs:
                record.qid, record.state, record.reason = film.qid, State.READ, ""
                record.read_at = record.checked_at = now
            save_records([record for record, _ in pairs])
            count(self._run, outcomes)

    def _failed(self, record: WikidataRecord, error: Exception) -> None:
        logger.exception("%s: %s", self._run, record, exc_info=error)
        record.state, record.reason, record.checked_at = State.FAILED, type(error).__name__, timezone.now()
        with transaction.atomic():
            save_records([record])
            count(self._run, {State.FAILED.value: 1})


def _qid(movie: Movie) -> int | None:
    record = getattr(movie, "wikidata", None)
    return record.qid if record else None
