"""Reports the progress of a fit to an optional listener. Only iterative estimators report progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[float], object]

_listener: ContextVar[Listener | None] = ContextVar("listener to the progress of a fit", default=None)


@contextmanager
def reporting(listener: Listener) -> Iterator[None]:
    """Call `listener` after each iteration of a fit in this context, with the completed share from 0 to 1."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(share: float) -> None:
    """Call the listener, if any, with the completed share of the fit (0 to 1)."""
    if listener := _listener.get():
        listener(share)


def reported(n: int) -> Iterator[int]:
    """Yield from `range(n)` and report progress after each iteration."""
    for number in range(n):
        yield number
        report((number + 1) / n)
