"""The progress of a job, and its remaining time."""

import time


class Pace:
    """Of work at a constant rate: what is left takes as long, in proportion, as what is done."""

    def __init__(self, share: float = 0.0) -> None:
        self._began_at, self._began_with = time.monotonic(), share

    def at(self, share: float) -> dict[str, float | None]:
        """The columns of the job's row."""
        share = min(max(share, 0.0), 1.0)
        done, seconds = share - self._began_with, time.monotonic() - self._began_at
        return {"share": share, "remaining_seconds": seconds * (1 - share) / done if done > 0 else None}
