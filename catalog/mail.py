"""Sends mail with a time limit, through the server from the environment or the site's settings."""

import os
import smtplib
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Timer
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import console, smtp
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpRequest
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.site_settings import NO_SENDER, OWN_MAIL, Values, current

CHECK_SECONDS = 5


class EmailBackend(BaseEmailBackend):
    """Sends mail through the server in the site's settings. Without a server, logs the mail."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        values = current()
        if not values.mail_host:
            return console.EmailBackend(fail_silently=self.fail_silently).send_messages(email_messages) or 0
        sender = sender_of(values)
        for message in email_messages:
            if message.from_email == settings.DEFAULT_FROM_EMAIL:
                message.from_email = sender
        connection = server_of(values, timeout=settings.EMAIL_TIMEOUT or CHECK_SECONDS)
        connection.fail_silently = self.fail_silently
        return connection.send_messages(list(email_messages)) or 0


class _Timed(smtplib.SMTP):
    """An SMTP connection that is closed after a total time.

    smtplib restarts its timeout with each byte, so a server that responds byte by byte would block the process for
    hours.
    """

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        # a duplicate, because TLS takes over the original socket
        self._watched = socket.socket(fileno=os.dup(found.fileno()))
        self._timer = Timer(timeout, self._end)
        self._timer.daemon = True
        self._timer.start()
        return found

    def _end(self) -> None:
        with suppress(OSError):  # it has already ended
            self._watched.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if hasattr(self, "_timer"):
            self._timer.cancel()
            self._watched.close()


class _TimedTLS(smtplib.SMTP_SSL, _Timed):
    pass


class SmtpBackend(smtp.EmailBackend):
    """Django's SMTP backend with a limit on the total time. `timeout` is EMAIL_TIMEOUT by default."""

    @property
    def connection_class(self) -> Any:
        return _TimedTLS if self.use_ssl else _Timed


def sends_mail() -> bool:
    """Returns whether mail is delivered. Without a server, it is logged with any secret links."""
    if settings.EMAIL_BACKEND == OWN_MAIL:
        return bool(current().mail_host)
    return not settings.EMAIL_BACKEND.endswith((".console.EmailBackend", ".dummy.EmailBackend"))


def sender_of(values: Values) -> str:
    """Returns the sender. The environment takes precedence."""
    return values.mail_from if settings.DEFAULT_FROM_EMAIL == NO_SENDER else settings.DEFAULT_FROM_EMAIL


def server_of(values: Values, *, timeout: float) -> SmtpBackend:
    return SmtpBackend(
        host=values.mail_host,
        port=values.mail_port,
        username=values.mail_user,
        password=values.mail_password,
        use_tls=values.mail_security == "starttls",
        use_ssl=values.mail_security == "tls",
        timeout=timeout,
    )


def refusal_of_server(values: Values, *, test_to: str = "") -> str:
    """Tests the server and, with `test_to`, sends a message to this address. Returns the error, or ""."""
    address = f"{values.mail_host}:{values.mail_port}"
    connection = server_of(values, timeout=CHECK_SECONDS)
    sender, began = sender_of(values), time.monotonic()
    try:
        connection.open()
        if test_to:
            connection.send_messages([_test_message(sender, test_to, values.site_name)])
        else:
            _name_sender(connection.connection, sender)
    except smtplib.SMTPAuthenticationError:
        return _("%(server)s rejected the username or password.") % {"server": address}
    except (TimeoutError, smtplib.SMTPException) as error:
        if isinstance(error, TimeoutError) or time.monotonic() - began >= CHECK_SECONDS:
            limit = {"server": address, "seconds": CHECK_SECONDS}
            return _("%(server)s did not respond within %(seconds)d seconds.") % limit
        return _("%(server)s could not send the email: %(error)s") % {"server": address, "error": _reason(error)}
    except (OSError, UnicodeError) as error:
        said = error or type(error).__name__
        return _("Could not connect to %(server)s: %(error)s") % {"server": address, "error": said}
    finally:
        connection.fail_silently = True
        connection.close()
    return ""


def _name_sender(server: smtplib.SMTP | None, sender: str) -> None:
    if server is None:
        return
    server.ehlo_or_helo_if_needed()
    code, text = server.mail(sender)
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, text, sender)


def _reason(error: smtplib.SMTPException) -> str:
    """Returns the server's message, which may be bytes."""
    said = error.smtp_error if isinstance(error, smtplib.SMTPResponseException) else error
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def _test_message(sender: str, to: str, name: str) -> EmailMessage:
    return EmailMessage(
        subject=_("Test email from %(name)s") % {"name": name},
        body=_("This is a test message. Your mail server settings are working."),
        from_email=sender,
        to=[to],
    )


def ask_to_confirm(request: HttpRequest, user: User) -> None:
    """Sends the confirmation mail of a new account, if it has an address and the site sends mail."""
    if user.email and sends_mail():
        EmailAddress.objects.add_email(request, user, user.email).send_confirmation(request, signup=True)
