"""What can be wrong with a request to the recommender, in words for people; `code` and `status` are for the API."""


class RecommenderError(Exception):
    code = "recommender_error"
    status = 400

    def __init__(self, message: str, *, fields: dict[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


class InvalidRequest(RecommenderError):
    """One field of what was asked for is wrong."""

    code = "invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", fields={field: [message]})


class InvalidArtifact(RecommenderError):
    code = "invalid_artifact"


class NotExplainable(RecommenderError):
    """There is no score to explain, for the reason that the message gives."""

    code = "not_explainable"
    status = 409
