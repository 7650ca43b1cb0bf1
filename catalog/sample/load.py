"""Gives a new site movies and ratings to begin with."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from catalog.ingest.data_set import ImportReport
from catalog.ingest.movielens import import_movielens
from catalog.models import ImportRun, Source
from catalog.sample.download import DownloadFailed, download
from catalog.sample.generated import generate_ratings

SAMPLE_SOURCES = (Source.MOVIELENS, Source.GENERATED)
GENERATED_USERS, GENERATED_MOVIES, GENERATED_RATINGS = 700, 3000, 90_000


def load_sample(*, say: Callable[[str], object], show_progress: bool = False) -> ImportReport | None:
    """MovieLens from MOVIELENS_PATH, else from GroupLens, else (no network) a generated catalogue; `say` tells which.

    None when a sample is there. One that was cut off is finished from where it came.
    """
    runs = ImportRun.objects.filter(source__in=SAMPLE_SOURCES)
    if done := runs.filter(finished_at__isnull=False).first():
        say(f"A sample is there already ({done.origin}); nothing changed.")
        return None
    if runs.filter(source=Source.GENERATED).exists():
        say("Going on with the generated catalogue that was cut off.")
        return _generate(show_progress)
    if settings.MOVIELENS_PATH:
        say(f"Sample: MovieLens data from MOVIELENS_PATH, {settings.MOVIELENS_PATH}")
        return import_movielens(path=Path(settings.MOVIELENS_PATH), show_progress=show_progress)
    if not settings.MOVIELENS_URL:
        say("Sample: a generated catalogue (made-up movies and people); MOVIELENS_URL is empty, nothing is downloaded.")
        return _generate(show_progress)
    try:
        path = download(url=settings.MOVIELENS_URL, folder=settings.VAR_DIR / "downloads", show_progress=show_progress)
    except DownloadFailed as error:
        say(f"MovieLens could not be downloaded: {error}")
        say("Sample: a generated catalogue (made-up movies and people).")
        return _generate(show_progress)
    say(f"Sample: MovieLens ml-latest-small, downloaded from GroupLens ({settings.MOVIELENS_URL})")
    return import_movielens(path=path, show_progress=show_progress)


def _generate(show_progress: bool) -> ImportReport:
    return generate_ratings(
        users=GENERATED_USERS, movies=GENERATED_MOVIES, ratings=GENERATED_RATINGS, show_progress=show_progress
    )
