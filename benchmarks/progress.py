"""One progress bar for all fits, on stderr, because stdout has only the tables."""

from __future__ import annotations

from types import TracebackType

from tqdm import tqdm


class Progress:
    def __init__(self, total: int) -> None:
        self.bar = tqdm(total=total, unit="fit", smoothing=0)
        self.is_first = True

    def start(self, step: str) -> None:
        """Call before each step."""
        if not self.is_first:
            self.bar.update()
        self.is_first = False
        self.bar.set_description(step)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None and not self.is_first:
            self.bar.update()
        self.bar.close()
