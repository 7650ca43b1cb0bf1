"""English date formats, used in templates as `|date:"DATE_FORMAT"`. Numbers have Django's default formats."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i"
YEAR_MONTH_FORMAT = "F Y"
