"""The rules of the data checks for single rows, by the sentence that people read."""

FIRST_YEAR, LAST_YEAR = 1870, 2200  # as the catalogue has it

NOT_FINITE = "rating is not finite"
NOT_IN_STEPS = "rating is not one of 0.5 to 5 in halves"
UNKNOWN_MOVIE = "rating of an unknown movie"
IN_THE_FUTURE = "rated in the future"
RATED_TWICE = "a user rated a movie twice"
MOVIE_TWICE = "a movie is there twice"
IMPLAUSIBLE_DATE = f"release date is not from {FIRST_YEAR} to {LAST_YEAR}"
UNKNOWN_GENRE = "a genre is not in the vocabulary"
UNKNOWN_LANGUAGE = "language is no ISO 639-1 code"
# A model can learn from rows that break these, if a person says that they are right.
RELEASABLE = frozenset({NOT_IN_STEPS, UNKNOWN_MOVIE, IN_THE_FUTURE, IMPLAUSIBLE_DATE, UNKNOWN_GENRE, UNKNOWN_LANGUAGE})
