"""The file-based broker of an embedded site."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from threading import Event
from uuid import uuid4

import pytest
from kombu import Connection

N_MESSAGES = 400


@pytest.fixture
def connect(tmp_path):
    folders = {"data_folder_in": "messages", "data_folder_out": "messages", "control_folder": "control"}
    for folder in folders.values():
        (tmp_path / folder).mkdir(exist_ok=True)
    options = {name: str(tmp_path / folder) for name, folder in folders.items()}

    def connect(transport: str = "movierec.broker:Transport") -> Connection:
        return Connection("filesystem://localhost", transport=transport, transport_options=options)

    return connect


@pytest.fixture
def queue() -> str:
    """Of the test's own: kombu remembers in the process which queues are bound, whatever the folder."""
    return f"queue-{uuid4()}"


def _send(connection: Connection, queue: str, texts: list[str]) -> None:
    with connection as sender:
        queue = sender.SimpleQueue(queue)
        for text in texts:
            queue.put(text)


def _receive_all(connection: Connection, queue: str, sent: Event) -> list[str]:
    received = []
    with connection as receiver:
        queue = receiver.SimpleQueue(queue)
        while True:
            is_last_look = sent.is_set()
            try:
                message = queue.get(block=False)
            except Empty:
                if is_last_look:
                    return received
                continue
            received.append(message.payload)
            message.ack()


def test_messages_arrive_in_their_order(connect, queue):
    _send(connect(), queue, ["first", "second", "third"])
    assert _receive_all(connect(), queue, _set()) == ["first", "second", "third"]


def test_no_message_is_lost_while_it_is_written(connect, queue):
    _send(connect(), queue, [])  # bound, as every queue of a running site is
    texts = [[f"{sender} {number}" for number in range(N_MESSAGES)] for sender in "ab"]
    sent = Event()
    with ThreadPoolExecutor(3) as pool:
        received = pool.submit(_receive_all, connect(), queue, sent)
        for sending in [pool.submit(_send, connect(), queue, part) for part in texts]:
            sending.result()
        sent.set()
        assert sorted(received.result()) == sorted(texts[0] + texts[1])


def test_files_are_visible_only_when_complete(connect, queue, monkeypatch, tmp_path):
    """Messages, and what queue an exchange goes to, which other processes read when they start."""
    seen: list[tuple[str, int]] = []  # kind of the file, bytes

    def look_meanwhile(self: Path, content: str, **options: str) -> int:
        with self.open("w", **options) as file:
            files = [*tmp_path.glob("*/*.msg"), *tmp_path.glob("*/*.exchange")]
            seen.extend((path.suffix, path.stat().st_size) for path in files)
            return file.write(content)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", look_meanwhile)
        _send(connect(), queue, ["a task"])
    assert {kind for kind, size in seen} == {".exchange"}
    assert min(size for kind, size in seen) > len("[]")
    assert _receive_all(connect(), queue, _set()) == ["a task"]


def test_a_truncated_message_is_skipped_and_logged(connect, queue, tmp_path, caplog):
    _send(connect(), queue, ["before", "cut off", "after"])
    second = sorted((tmp_path / "messages").glob("*.msg"))[1]
    second.write_bytes(second.read_bytes()[:40])
    assert _receive_all(connect(), queue, _set()) == ["before", "after"]
    assert f"truncated message of the queue {queue}" in caplog.text


def _set() -> Event:
    event = Event()
    event.set()
    return event
