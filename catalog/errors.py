"""Domain errors. Each has a code, an HTTP status, and a default text."""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """Base class of all domain errors. A class without a code inherits the code of its base class."""

    code: ClassVar[str]
    text: ClassVar[Promise]
    status: ClassVar[int] = 400

    def __init_subclass__(
        cls, *, code: str | None = None, text: Promise | None = None, status: int | None = None
    ) -> None:
        super().__init_subclass__()
        cls.code, cls.status = code or cls.code, status or cls.status
        if text is not None:  # testing whether it is empty would translate it
            cls.text = text

    def __init__(self, message: str | Promise = "", *, fields: dict[str, list[str]] | None = None) -> None:
        super().__init__(message or self.text)
        self.fields = fields or {}


class CatalogError(DomainError, code="catalog_error", text=_("The catalogue cannot do this.")): ...


class InvalidRating(CatalogError, code="invalid_rating", text=_("This is not a valid rating.")): ...


class InvalidViewing(CatalogError, code="invalid_viewing", text=_("This diary entry is not valid."), status=409): ...


class InvalidList(CatalogError, code="invalid_list", text=_("This list is not valid."), status=409): ...


class InvalidProfile(CatalogError, code="invalid_profile", text=_("This profile is not valid."), status=409): ...


class InvalidServices(
    CatalogError, code="invalid_services", text=_("This selection of services is not valid."), status=409
): ...


class InvalidSignUp(CatalogError, code="sign_up_refused", text=_("This account cannot be created."), status=409):
    """`fields` contains the messages of each invalid field."""


class SignUpClosed(CatalogError, code="sign_up_closed", text=_("Sign-up is closed on this site."), status=403): ...


class SetupClosed(CatalogError, code="setup_closed", text=_("This site is already set up."), status=404): ...


class SignUpNotFound(
    CatalogError,
    code="sign_up_not_found",
    text=_("This link has already been used, has expired or is incomplete."),
    status=404,
): ...


class InvitationNeeded(
    CatalogError,
    code="invitation_needed",
    text=_("Sign-up requires an invitation: an unused link from the staff, at most 14 days old."),
    status=403,
): ...


class MovieNotFound(CatalogError, code="movie_not_found", text=_("Movie not found."), status=404): ...


class UserNotFound(CatalogError, code="user_not_found", text=_("User not found."), status=404): ...


class ListNotFound(CatalogError, code="list_not_found", text=_("List not found."), status=404): ...


class ViewingNotFound(CatalogError, code="viewing_not_found", text=_("Diary entry not found."), status=404): ...


class InvalidCredentials(
    CatalogError, code="invalid_credentials", text=_("Incorrect username or password."), status=401
): ...


class PasswordSignInOff(
    CatalogError,
    code="password_sign_in_off",
    text=_("This site does not use passwords. Sign in on the website and create an API key on your account page."),
    status=403,
): ...


class EmailNotConfirmed(
    CatalogError,
    code="email_not_confirmed",
    text=_("Confirm your email address first. The link is in the email that we sent you."),
    status=403,
): ...


class SecondFactorNeeded(
    CatalogError,
    code="second_factor_needed",
    text=_("This account uses a second factor. Create an API key on the account page."),
    status=403,
): ...


class MailNotSent(
    CatalogError, code="mail_not_sent", text=_("The email could not be sent. Please try again later."), status=503
): ...


class InvalidKey(CatalogError, code="invalid_key", text=_("This API key is not valid."), status=409): ...


class MissingScope(
    CatalogError, code="missing_scope", text=_("The API key does not have the required scope."), status=403
): ...


class InvalidImport(
    CatalogError, code="invalid_history", text=_("The file is not in the selected format."), status=409
):
    """The file does not have the chosen format. The message says what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"file": [message]})


class UploadTooLarge(InvalidImport, code="too_large", text=_("The request is too large."), status=413): ...


class InvalidSource(CatalogError, code="invalid_source", text=_("There is no such source to follow."), status=409): ...


class SyncTooSoon(
    CatalogError, code="sync_too_soon", text=_("This source was read a moment ago; please wait."), status=409
): ...


class HookNotFound(CatalogError, code="hook_not_found", text=_("Media server address not found."), status=404): ...


class FeedNotFound(CatalogError, code="feed_not_found", text=_("Feed address not found."), status=404): ...


class ForeignEvent(
    CatalogError,
    code="foreign_event",
    text=_("This event belongs to a different user of the media server."),
    status=403,
): ...


class InvalidEvent(CatalogError, code="invalid_event", text=_("This is not a valid event of the service.")): ...


class InvalidBulk(CatalogError, code="invalid", text=_("Some fields are not valid.")): ...


class RequestTooLarge(CatalogError, code="too_large", text=_("The request is too large."), status=413): ...


class BulkConflict(
    CatalogError, code="conflict", text=_("The data was changed by another request. Please try again."), status=409
): ...


class ImportNotReady(
    CatalogError, code="not_ready", text=_("The import cannot be applied in its current state."), status=409
): ...


class RowNotFound(
    CatalogError,
    code="row_not_found",
    text=_("There is no such row any more: its file was imported, discarded or replaced."),
    status=404,
): ...


class InvalidMatch(
    CatalogError, code="invalid_match", text=_("A movie cannot be chosen for this row."), status=409
): ...


class ImportFailed(CatalogError, code="import_failed", text=_("The data set cannot be imported.")):
    """The data set cannot be imported. The message says what was expected and what was found."""


class ProviderError(CatalogError, code="provider_error", text=_("The metadata provider failed."), status=502):
    """A metadata provider failed. The message never contains the token."""


class TokenRefused(ProviderError, code="token_refused", text=_("The metadata provider rejected the token.")):
    """The provider rejected the token. All requests fail until the operator sets a valid one."""


class ProviderUnavailable(
    ProviderError, code="provider_unavailable", text=_("The metadata provider is not responding.")
):
    """The provider did not respond, or returned only temporary errors, after several attempts."""


class RecordGone(ProviderError, code="record_gone", text=_("The metadata provider does not have this record.")):
    """The record does not exist."""


class AnswerRejected(ProviderError, code="answer_rejected", text=_("The metadata provider sent an invalid response.")):
    """The response is invalid. A retry would give the same response."""


class BadRow(ValueError):
    """A row is skipped for this reason. If `rest` is set, it is the row without an invalid detail and is used instead.

    `reason` is a string, or a `models.reasons.Reason` for a user's upload.
    """

    def __init__(self, reason: Any, rest: Any = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rest = rest


class RedisUnavailable(Exception):
    """Redis did not count a request. Callers count elsewhere, so the API never returns this error."""
