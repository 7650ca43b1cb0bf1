"""Encrypts secrets in the database. Derives a key for each purpose from the site's SECRET_KEY."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


class Cipher:
    """Encrypts secrets for one purpose. `use` must never change, because existing secrets depend on it."""

    def __init__(self, use: str) -> None:
        self.use = use

    def encrypt(self, secret: str) -> str:
        """Returns the encrypted text. An empty secret stays empty."""
        return self._by_keys().encrypt(secret.encode()).decode() if secret else ""

    def decrypt(self, encrypted: str) -> str:
        """Returns the secret. Raises `cryptography.fernet.InvalidToken` if it was encrypted with another key."""
        return self._by_keys().decrypt(encrypted.encode()).decode() if encrypted else ""

    def _by_keys(self) -> MultiFernet:
        """Returns a MultiFernet with the site's key and the fallback keys configured in Django."""
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        digests = [hashlib.sha256(f"{self.use}:".encode() + force_bytes(key)).digest() for key in keys]
        return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
