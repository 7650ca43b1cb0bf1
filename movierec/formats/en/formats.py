"""How dates are written in English, in templates by `|date:"DATE_FORMAT"`. Numbers are written in Django's own way."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i"
YEAR_MONTH_FORMAT = "F Y"
