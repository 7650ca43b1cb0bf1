"""A proxy on a loopback port. It can cut or hold connections, or answer HTTP requests with a 500."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"
ERROR = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CHUNK = 2**16
BODY_SECONDS = 0.2  # time for the rest of a request to arrive before an error response


class Proxy:
    """Forwards connections in its own thread, until the end of the process."""

    def __init__(self, target: int) -> None:
        self._target, self._is_cut, self._answer = target, False, b""
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name=f"proxy of {target}", daemon=True).start()
        started = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, HOST, 0), self._loop)
        self.port = int(started.result().sockets[0].getsockname()[1])

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Closes all connections, and every new one at once."""
        self._change(is_cut=True)
        try:
            yield
        finally:
            self._change()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Accepts and keeps connections, but forwards nothing."""
        self._loop.call_soon_threadsafe(self._flows.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flows.set)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Answers every HTTP request with a 500."""
        self._change(answer=ERROR)
        try:
            yield
        finally:
            self._change()

    def _change(self, *, is_cut: bool = False, answer: bytes = b"") -> None:
        self._is_cut, self._answer = is_cut, answer
        if is_cut or answer:
            self._loop.call_soon_threadsafe(self._abort)

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            if self._answer:
                await self._refuse(reader, writer)
            elif not self._is_cut:
                back = await asyncio.open_connection(HOST, self._target)
                self._open.add(back[1])
                await asyncio.gather(self._pump(reader, back[1]), self._pump(back[0], writer))
        self._close(writer)

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(CHUNK), BODY_SECONDS)
        writer.write(self._answer)
        await writer.drain()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while content := await reader.read(CHUNK):
                await self._flows.wait()
                writer.write(content)
                await writer.drain()
        self._close(writer)

    def _close(self, writer: asyncio.StreamWriter) -> None:
        self._open.discard(writer)
        writer.close()
