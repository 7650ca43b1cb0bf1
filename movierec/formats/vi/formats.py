"""Vietnamese date formats. Numbers have Django's default formats with grouping added."""

DATE_FORMAT = "j/n/Y"
DATETIME_FORMAT = "H:i j/n/Y"
YEAR_MONTH_FORMAT = r"\t\há\n\g n/Y"
NUMBER_GROUPING = 3
