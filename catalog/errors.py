"""What can be wrong with a request to the catalogue, in words for people; `code` and `status` are for the API."""


class CatalogError(Exception):
    code = "catalog_error"
    status = 400

    def __init__(self, message: str, *, fields: dict[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


class InvalidRating(CatalogError):
    code = "invalid_rating"


class InvalidSignUp(CatalogError):
    """`fields` holds the messages of each field that was refused."""

    code = "invalid"


class MovieNotFound(CatalogError):
    code = "movie_not_found"
    status = 404


class UserNotFound(CatalogError):
    code = "user_not_found"
    status = 404


class InvalidCredentials(CatalogError):
    code = "invalid_credentials"


class InvalidImport(CatalogError):
    """The file does not have the chosen format; the message says what was expected."""

    code = "invalid_history"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"file": [message]})


class UploadTooLarge(InvalidImport):
    code = "too_large"
    status = 413


class InvalidBulk(CatalogError):
    code = "invalid"


class BulkTooLarge(CatalogError):
    code = "too_large"
    status = 413


class BulkConflict(CatalogError):
    code = "conflict"
    status = 409


class ImportNotReady(CatalogError):
    code = "not_ready"
    status = 409


class ImportFailed(CatalogError):
    """The data set cannot be imported; the message says what was expected and what was found."""

    code = "import_failed"


class BadRow(ValueError):
    """One row that is skipped; the message is the reason."""
