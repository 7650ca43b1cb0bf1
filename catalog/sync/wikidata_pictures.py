"""Pictures of movies and people. Asks Wikidata for the file names of people, then Commons for all files.

The database rows store what is due, so that a killed sync continues where it stopped. A request is sent once enough
rows are due to fill it. The remaining rows are requested at the end of the sync.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.errors import ProviderError
from catalog.models.picture import Picture
from catalog.models.wikidata import WikidataRun
from catalog.providers.commons import AT_ONCE, read_files
from catalog.providers.wikidata import PICTURED_AT_ONCE, WikidataClient
from catalog.sync.wikidata_job import count

logger = logging.getLogger(__name__)


def expect_pictures(files: Mapping[int, str]) -> None:
    """Sets the picture files of the movies, and marks their people as due.

    Call it in the transaction that writes the movies.
    """
    days = (
        settings.POLICY.wikidata.refresh_days / 2
    )  # a movie is read before its people, so with the full period they would not be due at its next refresh
    Picture.objects.expect_of_movies(files)
    Picture.objects.expect_of_people(files, older_than=timezone.now() - timedelta(days=days))


class PictureReader:
    """Reads the pictures for one run. After a failure it stops, and the stored pictures stay.

    A failure does not delay the facts.
    """

    def __init__(self, run: WikidataRun, client: WikidataClient) -> None:
        self._run = run
        self._client = client
        self._answers = True

    def read_some(self, *, rest: bool) -> bool:
        """Sends a request if enough rows are due to fill one; with `rest`, if any row is due.

        Returns whether it sent one.
        """
        try:
            return self._answers and (self._name(rest) or self._show(rest))
        except ProviderError as error:
            logger.warning("%s continues without pictures: %s", self._run, error)
            self._answers = False
            return True

    def _name(self, rest: bool) -> bool:
        """Asks Wikidata for the files of some people. Returns whether any were due."""
        if rows := self._due(Picture.State.DUE, PICTURED_AT_ONCE, rest):
            numbers = {row.person.wikidata_id for row in rows if row.person}
            files = self._client.pictures(sorted(number for number in numbers if number))
            for row in rows:
                row.name(files.get(row.person.wikidata_id or 0, "") if row.person else "")
            self._store(rows)
        return bool(rows)

    def _show(self, rest: bool) -> bool:
        """Asks Commons for some files. Returns whether any were due."""
        if rows := self._due(Picture.State.NAMED, AT_ONCE, rest):
            files = read_files(self._client.get, [row.file for row in rows])
            for row in rows:
                row.show(files.get(row.file))
            self._store(rows)
        return bool(rows)

    def _due(self, state: str, most: int, rest: bool) -> Sequence[Picture]:
        rows = list(Picture.objects.filter(state=state).select_related("person").order_by("pk")[:most])
        return rows if rest or len(rows) == most else []

    def _store(self, rows: Sequence[Picture]) -> None:
        with transaction.atomic():
            count(self._run, {})  # raises RunLost if another process has taken over the run
            Picture.objects.store(rows)
