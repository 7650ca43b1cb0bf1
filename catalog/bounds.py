"""Bounds of what any source may say of a movie, and a request of movies."""

FIRST_YEAR, LAST_YEAR = 1870, 2200  # any other year is a mistake
LARGEST_ID = 2**31 - 1  # the largest number of another site that a column holds
MAX_IDS = 1000  # of movies, in one parameter
