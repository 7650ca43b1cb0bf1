"""Base class of the stand-ins for other sites: HTTP on loopback, with scripted failures."""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

HTML = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>\r\n"


@dataclass
class Answer:
    """A scripted response."""

    status: int = 200
    body: Any = None
    retry_after: str | None = None
    delay: float = 0
    cut: bool = False  # close the connection after half of the body
    location: str | None = None

    @classmethod
    def html(cls, status: int) -> Self:
        return cls(status, HTML.format(status).encode())


class HTTPStandIn:
    """A site on a free port. `listen` starts it. A subclass implements `respond`."""

    latency: float = 0

    def listen(self, port: int = 0) -> None:
        self.arrivals: list[float] = []
        self.ended: list[float] = []  # times at which responses were sent
        self.asked: list[str] = []  # paths with queries
        self._scripts: dict[str, list[Answer]] = defaultdict(list)
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer_next(self, path: str, *answers: Answer) -> None:
        self._scripts[path].extend(answers)

    def n_asked(self, path: str) -> int:
        return sum(urlsplit(asked).path == path for asked in self.asked)

    def busiest_second(self) -> int:
        """Returns the highest number of requests within any second."""
        arrivals = sorted(self.arrivals)
        first, most = 0, 0
        for last, moment in enumerate(arrivals):
            while arrivals[first] <= moment - 1:
                first += 1
            most = max(most, last - first + 1)
        return most

    def note(self, asked: str, script: str) -> Answer | None:
        """Counts a request. Returns the next scripted response, if any."""
        with self._lock:
            self.arrivals.append(time.monotonic())
            self.asked.append(asked)
            answers = self._scripts.get(script)
            return answers.pop(0) if answers else None

    def respond(self, target: str, headers: Message) -> Answer:
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # the client was killed


def _handler(stand_in: HTTPStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # sends header and body in one packet

        def do_GET(self) -> None:
            answer = stand_in.respond(self.path, self.headers)
            time.sleep(stand_in.latency + answer.delay)
            stand_in.ended.append(time.monotonic())
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "text/html" if body.startswith(b"<html") else "application/json")
            self.send_header("Content-Length", str(len(body)))
            if answer.retry_after:
                self.send_header("Retry-After", answer.retry_after)
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if answer.cut else body)
            self.wfile.flush()
            self.close_connection = self.close_connection or answer.cut

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
