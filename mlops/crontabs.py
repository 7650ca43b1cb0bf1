"""Parses schedules: five crontab fields, a number of seconds, or off."""

import logging
from typing import Annotated, Any

from celery.schedules import ParseException, crontab
from pydantic import BeforeValidator

logger = logging.getLogger(__name__)

MAX_SECONDS = 2**31 - 1  # maximum of the database's integer
FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def parse_crontab(expression: str) -> crontab:
    """Parses a crontab expression. Raises ValueError if Celery rejects a field or no date matches."""
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError("a crontab has five fields: minute hour day-of-month month day-of-week")
    named = dict(zip(FIELDS, fields, strict=True))
    for name, field in named.items():
        try:
            crontab(**{name: field})
        except (ValueError, ParseException) as error:
            raise ValueError(f"{name}: {error}") from None
    return crontab(**named)


def _when(value: Any) -> str | int | None:
    if isinstance(value, dict):  # {crontab: ...} and {every_seconds: ...} are the forms used in older files
        if value.get("queue"):
            logger.warning("The key queue of a schedule has no effect any more: each task has its own queue.")
        given = [part for key, part in value.items() if key != "queue" and part is not None]
        if len(given) != 1 or not value.keys() <= {"crontab", "every_seconds", "queue"}:
            raise ValueError("give either crontab or every_seconds")
        value = given[0]
    if value is None or value is False:  # YAML reads `off` as False
        return None
    if isinstance(value, str):
        parse_crontab(value)
        return value
    if isinstance(value, int) and value is not True and 0 < value <= MAX_SECONDS:
        return value
    raise ValueError(f"expected five crontab fields, a whole number of seconds from 1 to {MAX_SECONDS}, or off")


When = Annotated[str | int | None, BeforeValidator(_when)]
