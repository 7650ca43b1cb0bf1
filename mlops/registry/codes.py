"""Codes of the smoke checks and of the problems with the mirror in MLflow.

`smoke_checks` and `smoke_test` use the codes without their prefix.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from mlops.findings import register

PREFIX = "smoke."


class SmokeCheck(TextChoices):
    LOADS = "smoke.loads_and_answers", _("smoke test: loads and returns lists")
    ANSWERS = "smoke.answers", _("smoke test: returns lists")
    ALGORITHM = "smoke.algorithm_as_registered", _("smoke test: the algorithm matches the registered one")
    SNAPSHOT = "smoke.learnt_from_the_snapshot", _("smoke test: was trained on the snapshot")
    RATED_MOVIES = "smoke.knows_every_rated_movie", _("smoke test: knows every rated movie")
    NEW_USER = "smoke.list_for_new_user", _("smoke test: returns a list for a new user")
    FULL_LISTS = "smoke.as_many_as_asked_for", _("smoke test: lists have the requested length")
    SAME_TWICE = "smoke.same_answer_twice", _("smoke test: repeated calls return the same list")
    SAME_ALONE = "smoke.same_answer_alone", _("smoke test: single and batch results match")
    PERSONAL = "smoke.lists_depend_on_the_person", _("smoke test: lists depend on the user")
    EXCLUDED = "smoke.no_excluded_movies", _("smoke test: lists contain no excluded movies")
    CANDIDATES = "smoke.candidates_alone", _("smoke test: lists contain only the given candidates")
    NEW_MOVIES = "smoke.takes_in_new_movies", _("smoke test: accepts new movies")
    SIMILAR = "smoke.similar_movies", _("smoke test: returns similar movies")
    REASONS = "smoke.reasons_sum_to_the_score", _("smoke test: reasons add up to the score")
    COLUMNS = "smoke.columns", _("smoke test: lists have the expected columns")
    FINITE = "smoke.finite_scores", _("smoke test: scores are finite")
    SEEN = "smoke.no_seen_movies", _("smoke test: lists contain no seen movies")
    UNKNOWN = "smoke.no_unknown_movies", _("smoke test: lists contain no unknown movies")
    REPEATED = "smoke.no_repeated_movies", _("smoke test: lists contain no duplicates")
    AT_MOST_K = "smoke.at_most_k", _("smoke test: lists are not too long")
    RANKS = "smoke.ranks_from_one", _("smoke test: ranks start at one")
    DESCENDING = "smoke.descending_scores", _("smoke test: scores are in descending order")
    EACH_USER = "smoke.a_list_for_each", _("smoke test: returns a list for each user")


FAILED = "smoke_failed"
FAILED_WITH_ERROR = "smoke_failed_with_error"

register(
    SmokeCheck,
    {
        FAILED: _("{title}: failed in an isolated process."),
        FAILED_WITH_ERROR: _("{title}: failed in an isolated process: {error}."),
    },
)


class MirrorCode(TextChoices):
    ALIAS = "mlflow.alias", _("alias {subject}")
    OUTAGE = "mlflow.outage", _("no response")
    ROW = "mlflow.row", _("{subject}")


register(
    MirrorCode,
    {
        MirrorCode.ALIAS: _(
            "The alias was left on version {version} of the model {model}, which belongs to another site ({site})."
        ),
        MirrorCode.OUTAGE: _("MLflow is not available. The next sync will retry: {error}"),
        MirrorCode.ROW: _("MLflow reported an error. The next sync will retry: {error}"),
    },
)
