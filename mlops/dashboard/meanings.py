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
    "hit_rate": Term(_("hit rate@10"), _("Share of new likes whose movie was among the first ten of its user's list.")),
    "ndcg": Term(
        "nDCG@10", _("As the hit rate, but a movie counts more the higher it stands: 1 at the top, 0 if absent.")
    ),
    "recall": Term("recall@10", _("Share of a user's later likes that are among the first ten of the list.")),
    "precision": Term("precision@10", _("Share of the ten listed movies that the user liked later.")),
    "coverage": Term("coverage@10", _("Share of the catalogue that is in anyone's first ten.")),
    "popularity_gini": Term(
        _("popularity Gini"), _("How unevenly movies are listed: 0 equally often, 1 one movie alone.")
    ),
    "mean_popularity": Term(_("mean popularity"), _("Share of users who rated a listed movie, on average.")),
    "novelty": Term(
        _("novelty"), _("How rarely rated the listed movies are, in bits: one more is half as many users.")
    ),
    "intra_list_diversity": Term(
        _("intra-list diversity"),
        _("How different the movies of one list are: 0 rated by the same users, 1 by others."),
    ),
    "personalisation": Term(
        _("personalisation"), _("How different the lists of two users are: 0 equal, 1 no common movie.")
    ),
    "rmse": Term("RMSE", _("Distance of predicted from given stars, large errors counting more; lower is better.")),
    "interval": Term(
        # xgettext:no-python-format
        _("95% interval"),
        _("[low, high]: what chance leaves open. A difference whose interval contains 0 may be chance."),
    ),
    "against": Term(_("difference"), _("The version's nDCG@10 minus the other model's, on the same users and likes.")),
    "shown": Term(
        _("on shown lists"),
        _("Likes after a list that was shown; the others count against the list that would have been shown."),
    ),
    "psi": Term(
        "PSI", _("Distance between the shares of two periods, beyond chance: 0 equal, above 0.25 a clear change.")
    ),
    "ks": Term("KS", _("Largest gap between the distributions of two periods: 0 equal, 1 nothing in common.")),
    "age": Term(_("age"), _("Time since it was last renewed; beyond the limit an alert opens.")),
    "points": Term(
        _("points"),
        _("1 for a test whose checks passed automatically and lately; half for one that passed by hand or earlier."),
    ),
}


def terms(codes: Iterable[str]) -> dict[str, Term]:
    return {code: TERMS[code]._replace(code=code) for code in codes}
