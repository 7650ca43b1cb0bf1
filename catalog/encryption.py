"""Encrypts secrets in the database with keys derived from the site's SECRET_KEY, one for each purpose."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


class Cipher:
    """Encrypts secrets for one purpose. `use` must never change, or existing secrets could no longer be decrypted."""

    def __init__(self, use: str) -> None:
        self.use = use

    def encrypt(self, secret: str) -> str:
        """Returns the encrypted text; an empty secret stays empty."""
        return self._by_keys().encrypt(secret.encode()).decode() if secret else ""

    def decrypt(self, encrypted: str) -> str:
        """Returns the secret. Raises `cryptography.fernet.InvalidToken` if none of the site's keys encrypted it."""
        return self._by_keys().decrypt(encrypted.encode()).decode() if encrypted else ""

    def _by_keys(self) -> MultiFernet:
        """Returns a MultiFernet with the site's key, and the fallback keys that Django still accepts."""
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        digests = [hashlib.sha256(f"{self.use}:".encode() + force_bytes(key)).digest() for key in keys]
        return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
