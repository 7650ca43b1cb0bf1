"""Admin pages for data, runs, versions, decisions and promotions. They are read-only; actions call the services."""

from mlops.admin import data, monitoring, runs, schedules, tuning, versions  # noqa: F401 (each registers its classes)
