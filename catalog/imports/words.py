"""Words for yes, no, watched, wanted and types of titles in the languages of common exports.

A word that is not listed means nothing. Statuses and types are compared after `fold`.
"""

import re

from catalog.models import ImportRow
from catalog.text import fold

EMPTY = {"", "-", "\u2013", "null", "nan", "none", "n/a", "undefined", "\\n"}  # missing values, except in titles


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(","))


# Includes the boolean values that localised spreadsheets write.
YES = _words(
    "1, 1.0, yes, y, true, x, ✓, ✔, ja, j, wahr, oui, vrai, si, sí, verdadero, vero, sim, verdadeiro, waar, tak, "
    "prawda, да, истина, はい, 是"
)
NO = _words(
    "0, 0.0, no, n, false, ✗, ✘, nein, falsch, non, faux, falso, não, nao, nee, onwaar, nie, fałsz, нет, ложь, "
    "いいえ, 否"
)
_WATCHED = _words(
    "completed, complete, watched, seen, finished, gesehen, angesehen, geschaut, abgeschlossen, visto, vista, vistos, "
    "completado, completada, terminado, terminada, vu, vue, vus, termine, terminee, completato, completata, assistido, "
    "assistida, concluido, gezien, bekeken, obejrzany, obejrzane, sett, просмотрено, смотрел, 見た, 視聴済み, 看过"
)
_WANTED = _words(
    "plantowatch, plan to watch, planning, planned, watchlist, want to watch, want to see, to watch, towatch, "
    "wishlist, geplant, möchte ich sehen, will ich sehen, merkliste, wunschliste, pendiente, por ver, quiero ver, "
    "quiero verla, quiero verlo, à voir, envie de voir, à regarder, da vedere, da guardare, voglio vedere, quero ver, "
    "quero assistir, para assistir, wil ik zien, te bekijken, do obejrzenia, chcę obejrzeć, буду смотреть, "
    "запланировано, 見たい, 想看"
)
_RELEASES = _words(
    "released, rumored, rumoured, announced, upcoming, pre production, in production, filming, post production, "
    "in cinemas, in theaters, ended, returning series, finished airing, currently airing, not yet aired"
)
_NOT_MOVIES = re.compile(
    # stems
    r"seri|episod|epizod|folge|season|staffel|temporada|game|spiel|juego|gioco|jogo|jeu|podcast|book|livre|libro|manga"
    r"|comic|musi|album|novel|sendung|sorozat|сериал|игра|시리즈|드라마|게임|シリーズ|ドラマ|ゲーム|剧集|电视剧|सीरी|एपिसोड"
    # words
    r"|\b(shows?|songs?|dizi|buch|person|list)\b|^tv$"
)
_MOVIES = re.compile(
    "movie|film|short|corto|curta|court|video|special|document|pelicula|фильм|кино|फ़िल्म|映画|电影|영화"
)


def status_of(text: str) -> ImportRow.Kind:
    """Returns WATCHED or WANTED; NOTHING for any other word, and for text with a question mark."""
    return ImportRow.Kind.NOTHING if "?" in text else _STATUSES.get(fold(text), ImportRow.Kind.NOTHING)


def is_release(text: str) -> bool:
    """Returns whether it is a title's release status, not what a person did with the title."""
    return fold(text) in _RELEASES


def is_movie_type(text: str) -> bool | None:
    """Returns whether a type of title means a movie; None if the type is unknown."""
    spellings = (text.casefold(), fold(text))
    if any(map(_NOT_MOVIES.search, spellings)):
        return False
    return True if any(map(_MOVIES.search, spellings)) else None


_STATUSES = dict.fromkeys(map(fold, _WATCHED), ImportRow.Kind.WATCHED) | dict.fromkeys(
    map(fold, _WANTED), ImportRow.Kind.WANTED
)


# Names of columns, from which meanings are guessed for the owner to confirm.
_COLUMN_NAMES = {
    "title": "titel título titre titolo movie film película filme name nombre nom nome phim タイトル название",
    "year": "jahr año ano année anno released năm год",
    "rating": "bewertung wertung note nota puntuación calificación voto avaliação stars sterne điểm оценка",
    "watched_on": "datum date fecha data day seen ngày дата",
    "note": "kommentar comentario commentaire commento comment notes review",
}
COLUMN_NAMES = {fold(name): meaning for meaning, names in _COLUMN_NAMES.items() for name in names.split()}
