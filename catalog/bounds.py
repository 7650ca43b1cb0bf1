"""Bounds of the values that any source may give for a movie, or a request for movies."""

FIRST_YEAR, LAST_YEAR = 1870, 2200  # any other year is a mistake
LARGEST_ID = 2**31 - 1  # the largest number of another site that a column holds
MAX_IDS = 1000  # of movies, in one parameter
