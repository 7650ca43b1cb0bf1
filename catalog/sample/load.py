"""Loads the sample into a new site: MovieLens, downloaded once to VAR_DIR/downloads, or generated data."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from django.conf import settings

from catalog.ingest.movielens import import_movielens
from catalog.ingest.removal import SAMPLE_SOURCES
from catalog.ingest.report import ImportReport
from catalog.models import ImportRun, Source
from catalog.progress import progress_bar
from catalog.retries import retry_context
from catalog.sample.generated import generate_ratings

GENERATED_USERS, GENERATED_MOVIES, GENERATED_RATINGS = 700, 3000, 90_000
SHA256 = "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"  # of the archive from September 2018
MAX_BYTES = 20 << 20
MAX_SECONDS = 60.0
TIMEOUT = httpx.Timeout(10, connect=4)
ATTEMPTS = 2


def load_sample(*, say: Callable[[str], object], show_progress: bool = False) -> ImportReport | None:
    """Loads MovieLens from MOVIELENS_PATH or GroupLens, or generates a catalogue if there is no network.

    `say` receives messages about what is loaded. Returns None if there is already a sample. Completes an interrupted
    load.
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


class DownloadFailed(Exception):
    """The archive could not be downloaded. The message gives the reason."""


def download(*, url: str, folder: Path, sha256: str = SHA256, show_progress: bool = False) -> Path:
    """Returns the archive's path. Downloads it unless there is a copy with the right checksum."""
    path = folder / "ml-latest-small.zip"
    if path.is_file() and _digest(path) == sha256:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        for attempt in retry_context(on=httpx.TransportError, attempts=ATTEMPTS, wait_max=2):
            with attempt:
                _fetch(url, part, show_progress)
        found = _digest(part)
        if found != sha256:
            raise DownloadFailed(f"{url}: the file has the SHA-256 {found}, expected {sha256}; it was thrown away")
        part.replace(path)
    except httpx.HTTPError as error:
        raise DownloadFailed(f"{url}: {error or type(error).__name__}") from None
    finally:
        part.unlink(missing_ok=True)
    return path


def _fetch(url: str, part: Path, show_progress: bool) -> None:
    with httpx.stream("GET", url, timeout=TIMEOUT, follow_redirects=True) as response, part.open("wb") as file:
        response.raise_for_status()
        if response.url.scheme != httpx.URL(url).scheme:
            raise DownloadFailed(f"{url}: leads to {response.url.scheme}; refused")
        total = int(response.headers.get("Content-Length", 0))
        with progress_bar(total=total, description="Downloading ml-latest-small", shown=show_progress) as bar:
            for block in _bounded(response, url):
                file.write(block)
                bar.update(len(block))


def _bounded(response: httpx.Response, url: str) -> Iterator[bytes]:
    received, deadline = 0, time.monotonic() + MAX_SECONDS
    for block in response.iter_bytes():
        received += len(block)
        if received > MAX_BYTES:
            raise DownloadFailed(f"{url}: more than {MAX_BYTES >> 20} MB; expected about 1 MB")
        if time.monotonic() > deadline:
            raise DownloadFailed(f"{url}: not received within {MAX_SECONDS:.0f} seconds")
        yield block


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
