"""The cache of a site on one machine."""

import random
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache

MAX_FILES = 10_000  # several per recent visitor; above this, Django deletes a third
CULL_EVERY = 100  # writes


class LazyCullFileCache(FileBasedCache):
    """Counts its files before one write in a hundred; Django does it before each, which takes longer than the write."""

    def __init__(self, folder: str, params: dict[str, Any]) -> None:
        super().__init__(folder, params | {"OPTIONS": {"MAX_ENTRIES": MAX_FILES} | params.get("OPTIONS", {})})

    def _cull(self) -> None:
        if random.randrange(CULL_EVERY) == 0:
            super()._cull()  # type: ignore[misc] # missing from the stubs
