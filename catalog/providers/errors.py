"""What can go wrong with a provider of metadata. No message ever holds the token."""

from catalog.errors import CatalogError


class ProviderError(CatalogError):
    code = "provider_error"
    status = 502


class TokenRefused(ProviderError):
    """Nothing more can be asked until somebody puts a valid token in place."""

    code = "token_refused"


class ProviderUnavailable(ProviderError):
    """It did not answer, or only with errors that pass, and was asked often enough."""

    code = "provider_unavailable"


class RecordGone(ProviderError):
    """There is no such record, or no longer."""

    code = "record_gone"


class AnswerRejected(ProviderError):
    """The answer is not what it should be; asking again would give the same."""

    code = "answer_rejected"
