"""A mail server that responds byte by byte cannot block a process for longer than the timeout."""

import socket
import time
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from django.core import mail

from catalog.mail import SmtpBackend, refusal_of_server
from catalog.site_settings import Values
from movierec.environment import mail as mail_settings

SECONDS = 1


@pytest.fixture
def dripping() -> Iterator[tuple[int, Event]]:
    """The port of a server that sends a byte every tenth of a second, and whether its client has left."""
    left = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with connection:
                try:
                    while not left.wait(0.1):
                        connection.sendall(b"2")
                except OSError:
                    left.set()

        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], left
        left.set()
        thread.join()


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_the_check_of_the_first_run_ends_in_time(dripping, monkeypatch, security):
    monkeypatch.setattr("catalog.mail.CHECK_SECONDS", SECONDS)
    port, left = dripping
    began = time.monotonic()
    values = Values(mail_host="127.0.0.1", mail_port=port, mail_security=security, mail_from="site@example.org")

    assert str(port) in refusal_of_server(values)
    assert time.monotonic() - began < 10 * SECONDS  # the server would go on for a day
    assert left.wait(10)


def test_a_mail_gives_up_in_time(dripping):
    port, left = dripping
    connection = SmtpBackend(host="127.0.0.1", port=port, timeout=SECONDS)

    with pytest.raises(OSError):
        connection.send_messages([mail.EmailMessage("Hello", "There", "site@example.org", ["nora@example.org"])])
    assert left.wait(10)


def test_the_servers_of_the_environment_have_the_limit(monkeypatch):
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://user:secret@mail.example.org:587")

    assert mail_settings("EMAIL_URL")["EMAIL_BACKEND"] == "catalog.mail.SmtpBackend"
