"""Codes of the smoke checks and of the problems with the mirror in MLflow.

`smoke_checks` and `smoke_test` use the codes without their prefix.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from mlops.findings import register

PREFIX = "smoke."


class SmokeCheck(TextChoices):
    LOADS = "smoke.loads_and_answers", _("smoke test: loads and answers")
    ANSWERS = "smoke.answers", _("smoke test: answers")
    ALGORITHM = "smoke.algorithm_as_registered", _("smoke test: the algorithm is the registered one")
    SNAPSHOT = "smoke.learnt_from_the_snapshot", _("smoke test: learnt from the snapshot")
    RATED_MOVIES = "smoke.knows_every_rated_movie", _("smoke test: knows every rated movie")
    NEW_USER = "smoke.list_for_new_user", _("smoke test: a list for a new user")
    FULL_LISTS = "smoke.as_many_as_asked_for", _("smoke test: lists have the requested length")
    SAME_TWICE = "smoke.same_answer_twice", _("smoke test: the same answer twice")
    SAME_ALONE = "smoke.same_answer_alone", _("smoke test: the same answer alone and in a batch")
    PERSONAL = "smoke.lists_depend_on_the_person", _("smoke test: lists depend on the person")
    EXCLUDED = "smoke.no_excluded_movies", _("smoke test: no excluded movies")
    CANDIDATES = "smoke.candidates_alone", _("smoke test: only the given candidates")
    NEW_MOVIES = "smoke.takes_in_new_movies", _("smoke test: accepts new movies")
    SIMILAR = "smoke.similar_movies", _("smoke test: similar movies")
    REASONS = "smoke.reasons_sum_to_the_score", _("smoke test: reasons sum to the score")
    COLUMNS = "smoke.columns", _("smoke test: columns of a list")
    FINITE = "smoke.finite_scores", _("smoke test: finite scores")
    SEEN = "smoke.no_seen_movies", _("smoke test: no seen movies")
    UNKNOWN = "smoke.no_unknown_movies", _("smoke test: no unknown movies")
    REPEATED = "smoke.no_repeated_movies", _("smoke test: no repeated movies")
    AT_MOST_K = "smoke.at_most_k", _("smoke test: no list is too long")
    RANKS = "smoke.ranks_from_one", _("smoke test: ranks count from one")
    DESCENDING = "smoke.descending_scores", _("smoke test: scores descend")
    EACH_USER = "smoke.a_list_for_each", _("smoke test: a list for each user")


FAILED = "smoke_failed"
FAILED_WITH_ERROR = "smoke_failed_with_error"

register(
    SmokeCheck,
    {
        FAILED: _("{title}: failed in a process started in isolation."),
        FAILED_WITH_ERROR: _("{title}: failed in a process started in isolation: {error}."),
    },
)


class MirrorCode(TextChoices):
    ALIAS = "mlflow.alias", _("alias {subject}")
    OUTAGE = "mlflow.outage", _("no answer")
    ROW = "mlflow.row", _("{subject}")


register(
    MirrorCode,
    {
        MirrorCode.ALIAS: _(
            "It was left on version {version} of the model {model}, which another site has logged ({site})."
        ),
        MirrorCode.OUTAGE: _("MLflow cannot be used; the next sync tries again: {error}"),
        MirrorCode.ROW: _("MLflow failed; the next sync tries again: {error}"),
    },
)
