"""Codes of an authenticator app."""

import base64
import hashlib
import hmac
import struct
import time


def code_of(secret: str) -> str:
    """Returns a code by RFC 6238: six digits, 30 seconds."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
