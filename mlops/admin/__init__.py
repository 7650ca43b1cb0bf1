"""Data, runs, versions, decisions and promotions in the admin: to look at, and to act on through the services."""

from mlops.admin import data, monitoring, runs, schedules, tuning, versions  # noqa: F401 (each registers its classes)
