"""The load generator. Each connection sends its next request when it has received a response.

Runs as a separate process. Reads a JSON object from standard input and prints one (see `Load` and `Result`). It uses
one thread and plain sockets. Its own cost per request is printed with each result.
"""

from __future__ import annotations

import json
import re
import resource
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)
PATIENCE = 60.0  # maximum time for responses after the end of the load
CHUNK = 1 << 18


@dataclass(frozen=True)
class Load:
    """A load. Sends requests in order from `start`, cyclically, for this many seconds."""

    address: str
    requests: str  # a file of HTTP requests, one JSON text per line
    connections: int
    seconds: float
    start: int = 0


@dataclass
class Result:
    n_sent: int = 0
    seconds: float = 0.0  # from the first request to the last response
    cpu_seconds: float = 0.0  # of the generator
    latencies: list[float] = field(default_factory=list)  # of good responses
    refused: list[float] = field(default_factory=list)  # latencies of 503 responses with Retry-After
    statuses: dict[str, int] = field(default_factory=dict)  # of other responses; "closed" if there was none
    n_bytes: int = 0
    sample: str = ""  # body of the last good response


class Connection:
    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._connect()

    def _connect(self) -> None:
        self.socket = socket.create_connection(self._address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()
        self.expected = 0  # length of the response in bytes, known once its head has arrived
        self.sent_at = 0.0

    def connect_again(self) -> None:
        self.socket.close()
        self._connect()

    def send(self, request: bytes) -> None:
        self.received.clear()
        self.expected = 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool | None:
        """Returns whether the response is complete, or None if the server has closed the connection."""
        try:
            data = self.socket.recv(CHUNK)
        except OSError:
            return None
        if not data:
            return None
        self.received += data
        if not self.expected and (end := self.received.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.received, 0, end + 2)
            if length is None:
                raise SystemExit(f"An answer without a length: {bytes(self.received[:end])!r}")
            self.expected = end + 4 + int(length[1])
        return bool(self.expected) and len(self.received) >= self.expected


class Generator:
    def __init__(self, load: Load) -> None:
        self.load, self.result = load, Result()
        lines = Path(load.requests).read_text(encoding="utf-8").splitlines()
        self._requests = [json.loads(line).encode() for line in lines]
        at = urlsplit(load.address)
        self._address = (at.hostname or "127.0.0.1", at.port or 80)

    def run(self) -> Result:
        result, poll, waiting = self.result, select.epoll(), dict[int, Connection]()
        connections = [Connection(self._address) for _ in range(self.load.connections)]
        used = _cpu_seconds()
        self._began = time.perf_counter()
        self._end = self._began + self.load.seconds
        for connection in connections:
            poll.register(connection.socket, select.EPOLLIN)
            waiting[connection.socket.fileno()] = connection
            self._send(connection)
        while waiting:
            events = poll.poll(PATIENCE)
            now = time.perf_counter()
            if not events:
                self._count("no answer", len(waiting))
                break
            for number, _ in events:
                connection = waiting[number]
                is_complete = connection.receive()
                if is_complete is False:
                    continue
                if is_complete:
                    self._take(connection, now)
                else:
                    self._count("closed")
                if not is_complete or CLOSES.search(connection.received):
                    poll.unregister(number)
                    del waiting[number]
                    connection.connect_again()
                    number = connection.socket.fileno()
                    poll.register(number, select.EPOLLIN)
                    waiting[number] = connection
                if now < self._end:
                    self._send(connection)
                else:
                    poll.unregister(number)
                    waiting.pop(number).socket.close()
        result.cpu_seconds = _cpu_seconds() - used
        return result

    def _send(self, connection: Connection) -> None:
        request = self._requests[(self.load.start + self.result.n_sent) % len(self._requests)]
        self.result.n_sent += 1
        connection.send(request)

    def _take(self, connection: Connection, now: float) -> None:
        result, answer = self.result, connection.received
        if answer[9:12] == b"503" and b"\r\nRetry-After: " in answer:
            result.refused.append(now - connection.sent_at)
            return
        if answer[9:12] != b"200":
            self._count(answer[9:12].decode("ascii", "replace"))
            return
        result.latencies.append(now - connection.sent_at)
        result.seconds = now - self._began
        result.n_bytes += connection.expected
        if not result.sample or now >= self._end:
            result.sample = answer[answer.find(b"\r\n\r\n") + 4 :].decode("utf-8", "replace")

    def _count(self, what: str, n: int = 1) -> None:
        self.result.statuses = dict(Counter(self.result.statuses) + Counter({what: n}))


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    given: dict[str, Any] = json.load(sys.stdin)
    json.dump(asdict(Generator(Load(**given)).run()), sys.stdout)


if __name__ == "__main__":
    main()
