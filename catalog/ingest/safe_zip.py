"""Checks members of zips before they are read: readable, and not a bomb."""

import zipfile
import zlib

MAX_COMPRESSION = 200  # tables of ratings shrink 3 to 10 times, a zip bomb a thousand times
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Reading a zip raises these if its bytes are not what its directory says.
DAMAGED = (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error)


def problem_of(member: zipfile.ZipInfo, *, max_bytes: int | None = None, harmless_bytes: int = 0) -> str:
    """Why the member must not be read, and what was expected; empty if it may.

    Members up to `harmless_bytes` may be as repetitive as they like.
    """
    if member.flag_bits & 1:
        return "is encrypted; expected a zip without a password"
    if member.compress_type not in METHODS:
        return "is compressed in an unusual way; expected a plain zip (deflate)"
    packed = max(member.compress_size, 1)
    unpacks = f"would unpack {packed:,} bytes to {member.file_size:,}"
    if member.file_size > harmless_bytes and member.file_size / packed > MAX_COMPRESSION:
        return f"{unpacks}; expected at most {MAX_COMPRESSION} times as much"
    if max_bytes is not None and member.file_size > max_bytes:
        return f"{unpacks}; expected at most {max_bytes:,}"
    return ""
