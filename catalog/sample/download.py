"""Downloads MovieLens ml-latest-small from GroupLens once, verifies it and keeps it under VAR_DIR/downloads."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import stamina

from catalog.progress import progress_bar

SHA256 = "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"  # the archive of September 2018
MAX_BYTES = 20 << 20
MAX_SECONDS = 60.0
TIMEOUT = httpx.Timeout(10, connect=4)
ATTEMPTS = 2


class DownloadFailed(Exception):
    """The archive could not be downloaded; the message says why."""


def download(*, url: str, folder: Path, sha256: str = SHA256, show_progress: bool = False) -> Path:
    """Returns the archive's path. Downloads it unless a copy with the right checksum exists."""
    path = folder / "ml-latest-small.zip"
    if path.is_file() and _digest(path) == sha256:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        for attempt in stamina.retry_context(on=httpx.TransportError, attempts=ATTEMPTS, wait_max=2):
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
