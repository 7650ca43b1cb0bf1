"""Runs deploy/up with fake programs that record the order in which services start."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT, put_stand_ins

pytestmark = pytest.mark.once
FAKES = {
    "docker": 'echo "docker $*" >>"$CALLS"',
    "podman-compose": 'echo "compose $*" >>"$CALLS"',
    "podman": """
echo "podman $*" >>"$CALLS"
case "$1 $3" in
"wait "*) echo "$MIGRATE" ;;
"healthcheck "*"$SICK"*) exit 1 ;;
esac""",
}
LINK = "exec -T web python manage.py setup_link --if-open"
SERVING = ["web", "worker", "training", "beat", "flower", "mlflow"]


def up(folder: Path, compose: str, *, migrate: int = 0, sick: str = "nobody") -> tuple[int, list[str], str]:
    """Its exit code, the calls, and what it says of the reason."""
    own = put_stand_ins(folder, FAKES) | {"MIGRATE": str(migrate), "SICK": sick, "UP_SECONDS": "1"}
    own |= {"COMPOSE": compose, "COMPOSE_PROJECT_NAME": "films"}
    done = subprocess.run(
        ["deploy/up"], cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, (folder / "calls").read_text().splitlines(), done.stderr


def checks(*services: str) -> list[str]:
    return [f"podman healthcheck run films_{service}_1" for service in services]


def test_docker_knows_the_order_itself(tmp_path):
    assert up(tmp_path, "docker compose")[:2] == (0, ["docker compose up --detach --wait", f"docker compose {LINK}"])


def test_podman_starts_what_depends_on_a_service_that_has_ended(tmp_path):
    code, calls, _ = up(tmp_path, "podman-compose --file docker-compose.yml")

    start = "compose --file docker-compose.yml up --detach --no-deps"
    data = [f"{start} db redis", *checks("db", "redis")]
    assert code == 0
    assert calls == [
        *data,
        f"{start} migrate",
        "podman wait films_migrate_1",
        f"{start} {' '.join(SERVING)}",
        *checks(*SERVING),
        f"compose --file docker-compose.yml {LINK}",
    ]


def test_no_service_starts_where_the_database_was_not_migrated(tmp_path):
    code, calls, reason = up(tmp_path, "podman-compose", migrate=1)

    assert (code, reason) == (1, "up: migrate failed\n")
    assert calls[-1] == "podman wait films_migrate_1"


def test_a_service_that_gets_not_healthy_is_named(tmp_path):
    code, _, reason = up(tmp_path, "podman-compose", sick="films_beat_1")

    assert (code, reason) == (1, "up: beat is not healthy\n")
