"""Errors of the recommender."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from catalog.errors import DomainError


class Code(TextChoices):
    RECOMMENDER_ERROR = "recommender_error", _("The recommender cannot do this.")
    INVALID = "invalid", _("Some fields are not valid.")
    INVALID_ARTIFACT = "invalid_artifact", _("The files of the model are missing or damaged.")
    NOT_EXPLAINABLE = "not_explainable", _("There is no score to explain.")


class RecommenderError(DomainError, code=Code.RECOMMENDER_ERROR): ...


class InvalidRequest(RecommenderError, code=Code.INVALID):
    """One field of the request is not valid."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", fields={field: [message]})


class InvalidArtifact(RecommenderError, code=Code.INVALID_ARTIFACT): ...


class NotExplainable(RecommenderError, code=Code.NOT_EXPLAINABLE, status=409):
    """There is no score to explain; the message gives the reason."""
