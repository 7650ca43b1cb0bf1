"""The progress of a job, and its estimated remaining time."""

import time


class Pace:
    """Estimates the remaining time by assuming a constant rate."""

    def __init__(self, share: float = 0.0) -> None:
        self._began_at, self._began_with = time.monotonic(), share

    def at(self, share: float) -> dict[str, float | None]:
        """Returns the values of the job's progress columns."""
        share = min(max(share, 0.0), 1.0)
        done, seconds = share - self._began_with, time.monotonic() - self._began_at
        return {"share": share, "remaining_seconds": seconds * (1 - share) / done if done > 0 else None}
