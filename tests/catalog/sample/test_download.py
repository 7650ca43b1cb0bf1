"""Downloads the sample from an HTTP server on loopback."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stamina

from catalog.sample import load as module
from catalog.sample.load import DownloadFailed, download

CONTENT = b"an archive" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    """Answers as `answers` says, one after the other, the last one for ever; `requests` counts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.requests += 1
            status, body = server.answers[min(server.requests, len(server.answers)) - 1]
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: 50 if status == 206 else None])

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.answers = 0, [(200, CONTENT)]
    server.url = f"http://127.0.0.1:{server.server_port}/ml.zip"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    with stamina.set_testing(True, attempts=2, cap=True):
        yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_fetches_once_and_keeps_the_file(server, tmp_path):
    path = download(url=server.url, folder=tmp_path / "downloads", sha256=SHA256)
    assert path.read_bytes() == CONTENT
    assert download(url=server.url, folder=tmp_path / "downloads", sha256=SHA256) == path
    assert server.requests == 1


def test_fetches_again_when_the_kept_file_is_damaged(server, tmp_path):
    path = download(url=server.url, folder=tmp_path, sha256=SHA256)
    path.write_bytes(CONTENT[:100])
    assert download(url=server.url, folder=tmp_path, sha256=SHA256).read_bytes() == CONTENT


def test_tries_again_when_the_connection_breaks(server, tmp_path):
    server.answers = [(None, b""), (200, CONTENT)]
    assert download(url=server.url, folder=tmp_path, sha256=SHA256).read_bytes() == CONTENT
    assert server.requests == 2


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([(200, b"<html>sign in to this network</html>")], "SHA-256 .* expected .* thrown away"),
        ([(404, b"")], "404"),
        ([(503, b"")], "503"),
        ([(206, CONTENT)], "peer closed connection"),
        ([(200, b"x" * 5000)], "more than"),
        ([(None, b"")], "disconnected"),
    ],
)
def test_says_why_it_failed_and_leaves_nothing_behind(server, tmp_path, monkeypatch, answers, message):
    server.answers = answers
    if message == "more than":
        monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(DownloadFailed, match=message):
        download(url=server.url, folder=tmp_path, sha256=SHA256)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_a_failure(tmp_path):
    with stamina.set_testing(True), pytest.raises(DownloadFailed, match=r"http://127\.0\.0\.1:9"):
        download(url="http://127.0.0.1:9/ml.zip", folder=tmp_path)
