"""Limits on values from any source."""

FIRST_YEAR, LAST_YEAR = 1870, 2200  # other years are mistakes
LARGEST_ID = 2**31 - 1  # the largest id of another site that fits a column
MAX_IDS = 1000  # movie ids in one parameter
