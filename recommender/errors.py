"""Errors of the recommender."""

from django.utils.translation import gettext_lazy as _

from catalog.errors import DomainError


class RecommenderError(DomainError, code="recommender_error", text=_("The recommender cannot do this.")): ...


class InvalidRequest(RecommenderError, code="invalid", text=_("Some fields are not valid.")):
    """One field of the request is invalid."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", fields={field: [message]})


class FilterNotFound(InvalidRequest, code="not_found", text=_("Not found."), status=404): ...


class ListNotShown(InvalidRequest, code="list_not_shown", text=_("This list was not shown to you."), status=404): ...


class InvalidArtifact(
    RecommenderError, code="invalid_artifact", text=_("The files of the model are missing or damaged.")
): ...


class NotExplainable(
    RecommenderError, code="not_explainable", text=_("This movie has no score to explain."), status=409
):
    """There is no score to explain. The message gives the reason."""
