"""Errors of the recommender, each with a code and a status for the API and a sentence for people."""

from django.utils.translation import gettext_lazy as _

from catalog.errors import DomainError


class RecommenderError(DomainError):
    code = "recommender_error"
    default_message = _("The recommender cannot do this.")


class InvalidRequest(RecommenderError):
    """One field of the request is not valid."""

    code = "invalid"
    default_message = _("Some fields are not valid.")

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", fields={field: [message]})


class InvalidArtifact(RecommenderError):
    code = "invalid_artifact"
    default_message = _("The files of the model are missing or damaged.")


class NotExplainable(RecommenderError):
    """There is no score to explain; the message gives the reason."""

    code = "not_explainable"
    status = 409
    default_message = _("There is no score to explain.")
