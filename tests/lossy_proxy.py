"""A loopback proxy between a client and a server that loses connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from benchmarks.chaos.proxy import CHUNK, Proxy


class LossyProxy(Proxy):
    """Forwards `limit()` bytes in each direction of a connection, or all if None. Then cuts or stalls it."""

    def __init__(self, target: int, limit: Callable[[], int | None], *, stalls: bool = False) -> None:
        self._limit, self._stalls, self.n_lost = limit, stalls, 0
        super().__init__(target)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = self._limit()
        with suppress(OSError):
            while content := await reader.read(CHUNK):
                writer.write(content[:left])
                await writer.drain()
                left = None if left is None else left - len(content)
                if left is not None and left <= 0:
                    await self._lose(writer)
                    break
        self._close(writer)

    async def _lose(self, writer: asyncio.StreamWriter) -> None:
        self.n_lost += 1
        if self._stalls:
            await asyncio.Event().wait()
        writer.transport.abort()
