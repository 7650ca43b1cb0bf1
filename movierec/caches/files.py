"""The cache of a site on one machine."""

import random
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache

MAX_FILES = 10_000  # some for each visitor of the last minutes; beyond it a third is thrown away
CULLED_EVERY = 100  # writes


class CalmFileCache(FileBasedCache):
    """Django counts all files before each write, which takes longer than the write; here before one in a hundred."""

    def __init__(self, folder: str, params: dict[str, Any]) -> None:
        super().__init__(folder, params | {"OPTIONS": {"MAX_ENTRIES": MAX_FILES} | params.get("OPTIONS", {})})

    def _cull(self) -> None:
        if random.randrange(CULLED_EVERY) == 0:
            super()._cull()  # type: ignore[misc] # which the stubs leave out
