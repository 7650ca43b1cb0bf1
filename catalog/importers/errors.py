from catalog.errors import CatalogError


class ImportFailed(CatalogError):
    """The data set cannot be imported; the message says what was expected and what was found."""

    code = "import_failed"


class BadRow(ValueError):
    """One row that is left out, with its reason."""
