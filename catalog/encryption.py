"""Encryption of secrets that the database keeps, by the site's SECRET_KEY."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


def encrypt(secret: str) -> str:
    """Text for the database; an empty secret stays empty."""
    return _cipher().encrypt(secret.encode()).decode() if secret else ""


def decrypt(sealed: str) -> str:
    """The secret. Raises `cryptography.fernet.InvalidToken` if no key of the site encrypted it."""
    return _cipher().decrypt(sealed.encode()).decode() if sealed else ""


def _cipher() -> MultiFernet:
    """By the site's key; earlier ones that Django still takes are taken here, too."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"site settings:" + force_bytes(key)).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
