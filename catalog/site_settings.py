"""Site-wide settings that staff edit, stored in one database row. Environment variables take precedence.

Each process rereads the row every few seconds, so that requests need no query and changes need no restart. Secrets in
the row are encrypted with SECRET_KEY.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import Error
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import override

from catalog.encryption import Cipher

logger = logging.getLogger(__name__)

SECONDS = 3.0  # maximum age of a process's values
PAUSE_SECONDS = 10.0  # added after a failure of the database
PRODUCT = "Movierec"
SMTP = "catalog.mail.SmtpBackend"
OWN_MAIL = "catalog.mail.EmailBackend"  # used if the environment does not set a mail server
NO_SENDER = "movierec@localhost"
CIPHER = Cipher("site settings")
SECRETS = ("mail_password", "tmdb_read_token")


@dataclass(frozen=True)
class Values:
    """The row with its secrets decrypted. Secrets that cannot be decrypted are unset and listed in `unreadable`."""

    site_name: str = ""
    language: str = ""
    region: str = ""
    mail_host: str = ""
    mail_port: int = 587
    mail_security: str = "starttls"
    mail_user: str = ""
    mail_password: str = ""
    mail_from: str = ""
    tmdb_read_token: str = ""
    unreadable: tuple[str, ...] = ()


class _Followed:
    """The values as last read by this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.hold(Values())
        self.forget()

    def hold(self, values: Values) -> None:
        """Uses these values until `forget` is called."""
        self.latest, self._read_again_at = values, float("inf")

    def forget(self) -> None:
        self._read_again_at = 0.0
        self._was_read = False

    def current(self) -> Values:
        if time.monotonic() < self._read_again_at or not self._lock.acquire(blocking=not self._was_read):
            return self.latest
        try:
            if time.monotonic() >= self._read_again_at:
                self._read()
        finally:
            self._lock.release()
        return self.latest

    def _read(self) -> None:
        self._was_read, self._read_again_at = True, time.monotonic() + SECONDS
        try:
            row = apps.get_model("catalog", "SiteSettings").objects.filter(pk=1).values().first()
        except Error as error:  # the database is unavailable or not migrated yet
            self._read_again_at += PAUSE_SECONDS
            logger.debug("the site's settings were not read: %s", error)
            return
        self.latest = _decrypted(dict(row)) if row else Values()


followed = _Followed()
hide_secret: list[Callable[[str], object]] = []  # called with each secret that is read, so that logs can mask it
_reported: set[str] = set()  # secrets that could not be decrypted; each is logged once


def current() -> Values:
    return followed.current()


def site_name() -> str:
    """Returns the site's name; by default the product's name."""
    return settings.SITE_NAME or current().site_name or PRODUCT


def known_site_name() -> str:
    """Returns the name as last read by this process, for pages shown while the database is unavailable."""
    return settings.SITE_NAME or followed.latest.site_name or PRODUCT


def in_templates(request: HttpRequest) -> dict[str, Any]:
    """A context processor. Looks up the name only for pages that show it."""
    return {"site_name": lazy(site_name, str)()}


def language() -> str:
    """Returns the language of the site's own mails, and of pages for readers who prefer none of its languages."""
    return settings.SITE_LANGUAGE or current().language or settings.LANGUAGE_CODE


@contextmanager
def speaking() -> Iterator[None]:
    """Activates the site's own language, for text that does not belong to a request."""
    with override(language()):
        yield


def region() -> str:
    """Returns the site's country as an ISO 3166-1 code, or "" if it is not set."""
    return settings.SITE_REGION or current().region


def tmdb_read_token() -> str:
    return settings.TMDB_READ_TOKEN or current().tmdb_read_token


def set_by(field: str) -> str:
    """Returns the environment variable that sets the field, or "" if there is none. Such a field cannot be edited."""
    if not field.startswith("mail_"):
        variable = {"language": "LANGUAGE_CODE", "region": "SITE_REGION"}.get(field, field.upper())
        setting = "SITE_LANGUAGE" if field == "language" else variable  # LANGUAGE_CODE always has a value
        return variable if getattr(settings, setting, "") else ""
    if settings.EMAIL_BACKEND != OWN_MAIL:
        return "EMAIL_URL"
    return "DEFAULT_FROM_EMAIL" if field == "mail_from" and settings.DEFAULT_FROM_EMAIL != NO_SENDER else ""


def _decrypted(row: dict[str, Any]) -> Values:
    plain: dict[str, Any] = {}
    unreadable = []
    for name in SECRETS:
        sealed = row[f"{name}_sealed"]
        try:
            plain[name] = CIPHER.decrypt(sealed)
        except InvalidToken:
            plain[name] = ""
            unreadable.append(name)
            _report(name)
        for hide in hide_secret:
            hide(plain[name])
    stored = {field.name: row[field.name] for field in fields(Values) if field.name in row}
    return Values(**stored | plain, unreadable=tuple(unreadable))


def _report(name: str) -> None:
    if name not in _reported:
        _reported.add(name)
        logger.error("The site's %s cannot be decrypted by SECRET_KEY and counts as unset; set it again.", name)
