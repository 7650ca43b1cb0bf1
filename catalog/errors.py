"""Errors of the domain: each has a code, whose sentence is shown if the raiser gives none, and an HTTP status."""

from typing import ClassVar

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Code(TextChoices):
    CATALOG_ERROR = "catalog_error", _("The catalog cannot do this.")
    INVALID_RATING = "invalid_rating", _("This is not a valid rating.")
    INVALID = "invalid", _("Some fields are not valid.")
    MOVIE_NOT_FOUND = "movie_not_found", _("There is no such movie.")
    USER_NOT_FOUND = "user_not_found", _("There is no such user.")
    INVALID_CREDENTIALS = "invalid_credentials", _("Incorrect username or password.")
    INVALID_HISTORY = "invalid_history", _("The file does not have the chosen format.")
    TOO_LARGE = "too_large", _("The request is too large.")
    CONFLICT = "conflict", _("The data changed at the same time. Send the request again.")
    NOT_READY = "not_ready", _("The import cannot be applied in its present state.")
    IMPORT_FAILED = "import_failed", _("The data set cannot be imported.")
    PROVIDER_ERROR = "provider_error", _("The metadata provider failed.")
    TOKEN_REFUSED = "token_refused", _("The metadata provider refused the token.")
    PROVIDER_UNAVAILABLE = "provider_unavailable", _("The metadata provider does not answer.")
    RECORD_GONE = "record_gone", _("The metadata provider has no such record.")
    ANSWER_REJECTED = "answer_rejected", _("The answer of the metadata provider is not valid.")


class DomainError(Exception):
    """The base of every app's errors."""

    code: ClassVar[TextChoices]
    status: ClassVar[int] = 400

    def __init_subclass__(cls, *, code: TextChoices | None = None, status: int | None = None) -> None:
        super().__init_subclass__()
        cls.code, cls.status = code or cls.code, status or cls.status

    def __init__(self, message: str | Promise = "", *, fields: dict[str, list[str]] | None = None) -> None:
        super().__init__(message or self.code.label)
        self.fields = fields or {}


class CatalogError(DomainError, code=Code.CATALOG_ERROR): ...


class InvalidRating(CatalogError, code=Code.INVALID_RATING): ...


class InvalidSignUp(CatalogError, code=Code.INVALID):
    """`fields` holds the messages of each invalid field."""


class MovieNotFound(CatalogError, code=Code.MOVIE_NOT_FOUND, status=404): ...


class UserNotFound(CatalogError, code=Code.USER_NOT_FOUND, status=404): ...


class InvalidCredentials(CatalogError, code=Code.INVALID_CREDENTIALS): ...


class InvalidImport(CatalogError, code=Code.INVALID_HISTORY):
    """The file does not have the chosen format; the message says what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"file": [message]})


class UploadTooLarge(InvalidImport, code=Code.TOO_LARGE, status=413): ...


class InvalidBulk(CatalogError, code=Code.INVALID): ...


class BulkTooLarge(CatalogError, code=Code.TOO_LARGE, status=413): ...


class BulkConflict(CatalogError, code=Code.CONFLICT, status=409): ...


class ImportNotReady(CatalogError, code=Code.NOT_READY, status=409): ...


class ImportFailed(CatalogError, code=Code.IMPORT_FAILED):
    """The data set cannot be imported; the message says what was expected and what was found."""


class ProviderError(CatalogError, code=Code.PROVIDER_ERROR, status=502):
    """A metadata provider failed. No message ever contains the token."""


class TokenRefused(ProviderError, code=Code.TOKEN_REFUSED):
    """No request can succeed until the operator sets a valid token."""


class ProviderUnavailable(ProviderError, code=Code.PROVIDER_UNAVAILABLE):
    """It did not answer, or only with temporary errors, after several attempts."""


class RecordGone(ProviderError, code=Code.RECORD_GONE):
    """The record does not exist, or no longer."""


class AnswerRejected(ProviderError, code=Code.ANSWER_REJECTED):
    """The answer is not valid, and would be the same again."""


class BadRow(ValueError):
    """One row that is skipped; the message is the reason."""
