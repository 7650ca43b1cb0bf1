"""Rejects oversized uploads before any of their content is stored."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest
from django.utils.translation import gettext

from catalog.errors import UploadTooLarge
from catalog.policy import MB

REST_OF_A_FORM = 64 << 10  # bytes allowed for the request's other fields


class SizeLimit(FileUploadHandler):
    """Drops the file of an oversized request but reads its other fields.

    Servers read no further than Content-Length, so it can be trusted. The rest of the body is read and discarded;
    otherwise browsers show a broken connection instead of the error. It is read in chunks because Django would read it
    by line, and a file without line breaks is a single line.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.request is not None and is_too_long(self.request):
            with suppress(RequestDataTooBig):  # the web server has already dropped the rest
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
    """Raises UploadTooLarge based on the request's Content-Length, before any of it is read."""
    if is_too_long(request):
        limit = settings.POLICY.imports.max_upload_mb
        message = gettext("The upload has {size:,.0f} MB; expected a file of at most {limit} MB.")
        raise UploadTooLarge(message.format(size=length_of(request) / MB, limit=limit))


def length_of(request: HttpRequest) -> int:
    """Returns the body's Content-Length in bytes, or 0 if the header is missing, in which case no body is read."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(length) if length.isascii() and length.isdigit() else 0
