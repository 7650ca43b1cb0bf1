"""Errors of the domain. Each class has a stable code and an HTTP status for the API, and a sentence for people."""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """The base of every app's errors; says its `default_message` where the raiser gives no sentence of its own."""

    code: ClassVar[str]
    status: ClassVar[int] = 400
    default_message: ClassVar[str | Promise]

    def __init__(self, message: str | Promise = "", *, fields: dict[str, list[str]] | None = None) -> None:
        super().__init__(message or self.default_message)
        self.fields = fields or {}


class CatalogError(DomainError):
    code = "catalog_error"
    default_message = _("The catalog cannot do this.")


class InvalidRating(CatalogError):
    code = "invalid_rating"
    default_message = _("This is not a valid rating.")


class InvalidSignUp(CatalogError):
    """`fields` holds the messages of each invalid field."""

    code = "invalid"
    default_message = _("Some fields are not valid.")


class MovieNotFound(CatalogError):
    code = "movie_not_found"
    status = 404
    default_message = _("There is no such movie.")


class UserNotFound(CatalogError):
    code = "user_not_found"
    status = 404
    default_message = _("There is no such user.")


class InvalidCredentials(CatalogError):
    code = "invalid_credentials"
    default_message = _("Incorrect username or password.")


class InvalidImport(CatalogError):
    """The file does not have the chosen format; the message says what was expected."""

    code = "invalid_history"
    default_message = _("The file does not have the chosen format.")

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"file": [message]})


class UploadTooLarge(InvalidImport):
    code = "too_large"
    status = 413
    default_message = _("The request is too large.")


class InvalidBulk(CatalogError):
    code = "invalid"
    default_message = _("Some lines are not valid.")


class BulkTooLarge(CatalogError):
    code = "too_large"
    status = 413
    default_message = _("The request is too large.")


class BulkConflict(CatalogError):
    code = "conflict"
    status = 409
    default_message = _("The data changed at the same time. Send the request again.")


class ImportNotReady(CatalogError):
    code = "not_ready"
    status = 409
    default_message = _("The import cannot be applied in its present state.")


class ImportFailed(CatalogError):
    """The data set cannot be imported; the message says what was expected and what was found."""

    code = "import_failed"
    default_message = _("The data set cannot be imported.")


class ProviderError(CatalogError):
    """A metadata provider failed. No message ever contains the token."""

    code = "provider_error"
    status = 502
    default_message = _("The metadata provider failed.")


class TokenRefused(ProviderError):
    """No request can succeed until the operator sets a valid token."""

    code = "token_refused"
    default_message = _("The metadata provider refused the token.")


class ProviderUnavailable(ProviderError):
    """It did not answer, or only with temporary errors, after several attempts."""

    code = "provider_unavailable"
    default_message = _("The metadata provider does not answer.")


class RecordGone(ProviderError):
    """The record does not exist, or no longer."""

    code = "record_gone"
    default_message = _("The metadata provider has no such record.")


class AnswerRejected(ProviderError):
    """The answer is not valid, and would be the same again."""

    code = "answer_rejected"
    default_message = _("The answer of the metadata provider is not valid.")


class BadRow(ValueError):
    """One row that is skipped; the message is the reason."""
