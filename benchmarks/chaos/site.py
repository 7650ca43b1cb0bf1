"""The test site's data and accounts, and an operator who uses the staff API."""

from __future__ import annotations

from typing import Any

import httpx
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models import Count

from benchmarks.chaos.installation import PASSWORD, Installation
from benchmarks.chaos.processes import wait_for
from catalog.keys import create_key, create_sign_in_key, scopes_for
from catalog.models import User
from mlops.models import PipelineRun
from mlops.services import ensure_schedules

ENDED = ("succeeded", "failed", "errored", "cancelled")
N_API_CLIENTS = 2


def prepare(*, users: int, movies: int, ratings: int) -> None:
    """Creates tables, static files, schedules and generated data, but no model."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    ensure_schedules()
    call_command("generate_ratings", users=users, movies=movies, ratings=ratings, verbosity=0)


def tokens_of_raters(n: int) -> list[str]:
    """Returns API keys of the most active users, who can also sign in with PASSWORD."""
    users = list(User.objects.annotate(n_ratings=Count("ratings")).order_by("-n_ratings", "pk")[:n])
    for user in users:
        user.set_password(PASSWORD)
        user.save()
    return [create_sign_in_key(user=user).key for user in users]


def staff_token() -> str:
    staff = User.objects.create_superuser(username="operator", email="", password=PASSWORD)
    return create_key(user=staff, name="operator", scopes=scopes_for(staff)).key


class Operator:
    """Uses the staff API. Tolerates an unavailable database while waiting for a run."""

    def __init__(self, installation: Installation, token: str) -> None:
        headers = {"Authorization": f"Token {token}"}
        self._http = httpx.Client(base_url=f"{installation.address}/api/v1/", headers=headers, timeout=30)

    def train(self, **options: Any) -> dict[str, Any]:
        return self._sent("POST", "runs/", options)

    def roll_back(self) -> dict[str, Any]:
        return self._sent("POST", "models/rollback/", {})

    def run(self, pk: int) -> dict[str, Any]:
        return self._sent("GET", f"runs/{pk}/")

    def wait_for_end(self, pk: int, *, seconds: float) -> dict[str, Any]:
        """Waits for the end of a run. An errored run that will be retried has not ended."""
        wait_for(lambda: self._has_ended(pk), seconds=seconds, what=f"run {pk} ends", pause=0.5)
        return self.run(pk)

    def _has_ended(self, pk: int) -> bool:

        try:
            run = PipelineRun.objects.get(pk=pk)
        except DatabaseError:
            connection.close()
            return False
        return run.status in ENDED and run.retry_at is None

    def _sent(self, method: str, path: str, content: Any = None) -> dict[str, Any]:
        answer = self._http.request(method, path, json=content)
        if not answer.is_success:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found
