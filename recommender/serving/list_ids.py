"""Signed list ids. An id proves which user saw the list, even before the impression is in the database."""

import secrets
import uuid

from django.utils.crypto import salted_hmac

SALT = "recommender.list"
NONCE_BITS, SIGNATURE_BITS = 60, 62


def new_list_id(user_id: int | None) -> uuid.UUID:
    """Return a version 8 UUID (RFC 9562): 60 random bits and a 62-bit signature over them and the user.

    `user_id` is None for a visitor.
    """
    return _list_id(secrets.randbits(NONCE_BITS), user_id)


def is_list_of(list_id: uuid.UUID, user_id: int) -> bool:
    """Return whether this site issued the id for this user. False for ids issued with an earlier SECRET_KEY."""
    return list_id == _list_id(list_id.int >> 80 << 12 | list_id.int >> 64 & 0xFFF, user_id)


def _list_id(nonce: int, user_id: int | None) -> uuid.UUID:
    digest = salted_hmac(SALT, f"{nonce}:{user_id}", algorithm="sha256").digest()
    signature = int.from_bytes(digest[:8], "big") >> (64 - SIGNATURE_BITS)
    return uuid.UUID(int=nonce >> 12 << 80 | 0x8 << 76 | (nonce & 0xFFF) << 64 | 0b10 << 62 | signature)
