"""An upload that is too large is stopped before a byte of it is stored."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from catalog.errors import UploadTooLarge
from catalog.imports.files import MB

REST_OF_A_FORM = 64 << 10  # what a request holds beside its file


class SizeLimit(FileUploadHandler):
    """Drops the file of a request that is longer than an upload may be; its other fields are read.

    A request cannot be longer than it says: a server reads no further. The rest of it is read and thrown away, or the
    browser would show a broken connection in place of the reason. Django would do that line by line, and a file without
    line ends is one line.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.request is not None and is_too_long(self.request):
            while self.request.read(self.chunk_size):
                pass
            raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def is_too_long(request: HttpRequest) -> bool:
    return _length(request) > settings.POLICY.imports.max_upload_mb * MB + REST_OF_A_FORM


def check_length(request: HttpRequest) -> None:
    """Raises UploadTooLarge by what the request says of itself, before any of it is read."""
    if is_too_long(request):
        limit = settings.POLICY.imports.max_upload_mb
        raise UploadTooLarge(f"The upload has {_length(request) / MB:,.0f} MB; expected a file of at most {limit} MB.")


def _length(request: HttpRequest) -> int:
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(length) if length.isascii() and length.isdigit() else 0
