"""The progress of a fit, for callers that ask for it: iterative estimators report it, others do not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[float], object]

_listener: ContextVar[Listener | None] = ContextVar("listener to the progress of a fit", default=None)


@contextmanager
def reporting(listener: Listener) -> Iterator[None]:
    """Within it each iteration of a fit calls `listener` with the share that is done, from 0 to 1."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(share: float) -> None:
    """Tell the listener, if there is one, the share of the fit that is done (0 to 1)."""
    if listener := _listener.get():
        listener(share)


def reported(n: int) -> Iterator[int]:
    """`range(n)` that reports each round."""
    for number in range(n):
        yield number
        report((number + 1) / n)
