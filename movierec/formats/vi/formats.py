"""How dates are written in Vietnamese. Numbers are written in Django's own way, but grouped."""

DATE_FORMAT = "j/n/Y"
DATETIME_FORMAT = "H:i j/n/Y"
YEAR_MONTH_FORMAT = r"\t\há\n\g n/Y"
NUMBER_GROUPING = 3
