"""Encrypts secrets in the database with keys derived from the site's SECRET_KEY, one for each use."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


class Cipher:
    """For one use, whose name never changes: what was encrypted under it could not be read any more."""

    def __init__(self, use: str) -> None:
        self.use = use

    def encrypt(self, secret: str) -> str:
        """Text for the database; an empty secret stays empty."""
        return self._by_keys().encrypt(secret.encode()).decode() if secret else ""

    def decrypt(self, encrypted: str) -> str:
        """The secret. Raises `cryptography.fernet.InvalidToken` if no key of the site encrypted it."""
        return self._by_keys().decrypt(encrypted.encode()).decode() if encrypted else ""

    def _by_keys(self) -> MultiFernet:
        """By the site's key; earlier ones that Django still takes are taken here, too."""
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        digests = [hashlib.sha256(f"{self.use}:".encode() + force_bytes(key)).digest() for key in keys]
        return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
