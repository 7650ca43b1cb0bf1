"""Explanations of the figures on staff pages. docs/mlops.md contains the same table."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from mlops.findings import Text


class Term(NamedTuple):
    name: Text
    meaning: Text
    code: str = ""

    @property
    def link(self) -> SafeString:
        """Returns the name as a link to its explanation on the same page."""
        html = '<a class="term" href="#means-{}" title="{}">{}</a>'
        return format_html(html, self.code, self.meaning, self.name)


TERMS = {
    "hit_rate": Term(
        _("hit rate@10"), _("Share of new likes for which the movie was in the top ten of the user's list.")
    ),
    "ndcg": Term(
        "nDCG@10", _("Like the hit rate, but weighted by rank: 1 if the movie is first, 0 if it is not in the list.")
    ),
    "recall": Term("recall@10", _("Share of a user's later likes that appear in the top ten of the list.")),
    "precision": Term("precision@10", _("Share of the ten recommended movies that the user later liked.")),
    "coverage": Term("coverage@10", _("Share of the catalogue that appears in at least one user's top ten.")),
    "popularity_gini": Term(
        _("popularity Gini"), _("How unevenly movies are recommended. 0 means equally often, 1 means only one movie.")
    ),
    "mean_popularity": Term(_("mean popularity"), _("Average share of users who have rated a recommended movie.")),
    "novelty": Term(
        _("novelty"),
        _("How rarely the recommended movies have been rated, in bits. One more bit means half as many users."),
    ),
    "intra_list_diversity": Term(
        _("intra-list diversity"),
        _("How different the movies in a list are. 0 means rated by the same users, 1 means no users in common."),
    ),
    "personalisation": Term(
        _("personalisation"), _("How different two users' lists are. 0 means identical, 1 means no movies in common.")
    ),
    "rmse": Term(
        "RMSE", _("Error of the predicted ratings in stars, with large errors weighted more. Lower is better.")
    ),
    "interval": Term(
        # xgettext:no-python-format
        _("95% interval"),
        _("[low, high]: the range of plausible values. A difference whose interval contains 0 may be due to chance."),
    ),
    "against": Term(
        _("difference"), _("The version's nDCG@10 minus that of the other model, for the same users and likes.")
    ),
    "shown": Term(
        _("shown lists"),
        _("Likes that followed a shown list. The other likes are scored against the list that would have been shown."),
    ),
    "psi": Term(
        "PSI",
        _(
            "Difference between the distributions of two periods, beyond chance. 0 means equal, above 0.25 "
            "is a clear change."
        ),
    ),
    "ks": Term(
        "KS", _("Largest gap between the cumulative distributions of two periods. 0 means equal, 1 means no overlap.")
    ),
    "age": Term(_("age"), _("Time since the last update. An alert opens when the limit is exceeded.")),
    "points": Term(
        _("points"),
        _("1 for a test whose checks ran automatically and passed recently, 0.5 if they were run manually or earlier."),
    ),
}


def terms(codes: Iterable[str]) -> dict[str, Term]:
    return {code: TERMS[code]._replace(code=code) for code in codes}
