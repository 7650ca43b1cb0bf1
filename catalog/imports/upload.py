"""Stops oversized uploads before any of their bytes are stored."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest
from django.utils.translation import gettext

from catalog.errors import UploadTooLarge
from catalog.policy import MB

REST_OF_A_FORM = 64 << 10  # room for the request's other fields


class SizeLimit(FileUploadHandler):
    """Drops the file of an oversized request but reads its other fields.

    Servers read no further than the stated length, so it can be trusted. The rest of the body is read and discarded;
    otherwise browsers show a broken connection instead of the reason. Django would read it by line, and a file without
    line ends is one line.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.request is not None and is_too_long(self.request):
            with suppress(RequestDataTooBig):  # the web server has dropped the rest
                while self.request.read(self.chunk_size):
                    pass
            raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def is_too_long(request: HttpRequest) -> bool:
    return length_of(request) > settings.POLICY.imports.max_upload_mb * MB + REST_OF_A_FORM


def check_length(request: HttpRequest) -> None:
    """Raises UploadTooLarge by the request's stated length, before reading any of it."""
    if is_too_long(request):
        limit = settings.POLICY.imports.max_upload_mb
        message = gettext("The upload has {size:,.0f} MB; expected a file of at most {limit} MB.")
        raise UploadTooLarge(message.format(size=length_of(request) / MB, limit=limit))


def length_of(request: HttpRequest) -> int:
    """The stated length of the body in bytes; 0 if none is stated, and then none is read."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(length) if length.isascii() and length.isdigit() else 0
