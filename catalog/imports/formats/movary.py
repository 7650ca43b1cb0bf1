"""Movary's exports of the history, ratings and watchlist, each a separate table."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.fields import Kind
from catalog.imports.format import Format
from catalog.imports.reading import Part

_MOVIES = ("title", "year", "tmdbid", "imdbid")


class Movary(Format):
    code = "movary"
    label = "Movary"
    position = 8
    help = _("Settings, Account, Data: history.csv, ratings.csv and watchlist.csv, each alone or together in a zip.")
    expected = _("the history.csv, ratings.csv or watchlist.csv that Movary exports, or a zip of them")
    marks_rewatches = True
    parts = (
        Part(gettext_noop("ratings"), Kind.RATED, (*_MOVIES, "userrating")),
        Part(gettext_noop("history"), Kind.WATCHED, (*_MOVIES, "watchedat")),
        Part(gettext_noop("watchlist"), Kind.WANTED, (*_MOVIES, "addedat")),
    )
    columns = {
        fields.TITLE: ["title"],
        fields.YEAR: ["year"],
        fields.IMDB_ID: ["imdbid"],
        fields.TMDB_ID: ["tmdbid"],
        fields.OUT_OF_10: ["userrating"],
        fields.RECORDED_AT: ["addedat"],
        fields.WATCHED_ON: ["watchedat"],
        fields.REVIEW: ["comment"],
    }


FORMAT = Movary()
