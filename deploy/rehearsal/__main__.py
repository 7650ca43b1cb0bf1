"""Rehearses a deployment, from a successful CI run to a served list, a rejected model, a rollback, or a release."""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import yaml
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from rehearsal.release import Release
from rehearsal.stand_ins import Container, Render
from rehearsal.workflow import FAILURE, ROOT, SKIPPED, SUCCESS, Runner

POSTGRES = os.environ.get("TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
PORT, HEALTH_PORT, COMMIT = 8467, 9467, "0123456789abcdef0123456789abcdef01234567"
FORMER = "fedcba9876543210fedcba9876543210fedcba98"  # the commit that was live before
SERVICE, KEY = "srv-rehearsal", "rnd_rehearsal"
QUICK: dict[str, dict[str, Any]] = {
    "training": {"algorithm": "ease", "parameters": {"ease": {"regularization": 20}}, "min_ratings": 100},
    "evaluation": {"cuts": [0.6], "half_lives_days": [30], "bootstrap_resamples": 1000},
    "gate": {"max_latency_ms": 60_000, "replay_latency_floor_ms": 60_000, "min_users": 50},  # for busy machines
    "schedules": {"train-model": None, "check-retraining": None},
}
PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0); call_command("load_sample")
"""
OWN_CHAMPION = """
from catalog.models import Movie, User
from catalog.services import record_rating
person = User.objects.create_user("ada", password="correct horse battery")
for movie in Movie.objects.order_by("pk")[:12]: record_rating(user=person, movie=movie, rating=4.0)
call_command("train_model")
"""
FORMER_CHAMPION = """
from django.conf import settings
settings.POLICY.training.parameters["ease"]["regularization"] = 500  # another model than the deploy's
call_command("train_model")
call_command("export_model")  # what the site's worker does
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/rehearse", description=__doc__)
    parser.add_argument("--refuse", choices=["train", "site"], help="Let this gate refuse: nothing may be deployed.")
    parser.add_argument("--roll-back", action="store_true", help="Then run rollback.yml, for the model and the code.")
    parser.add_argument("--release", metavar="PLATFORMS", help="Run release.yml alone, for platforms like linux/amd64.")
    parser.add_argument("--keep-logs", type=Path, metavar="FOLDER", help="Of the site that the stand-in starts.")
    given = parser.parse_args()
    if given.refuse and given.roll_back:
        parser.error("--roll-back: expected a deploy that goes through, so no --refuse.")
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as made:
        folder = Path(made)
        if given.release:
            return Release(folder, given.release).run()
        return Rehearsal(folder, given.refuse, given.roll_back, given.keep_logs or folder).run()


class Rehearsal:
    def __init__(self, folder: Path, refuse: str | None, rolls_back: bool, logs: Path) -> None:
        self.folder, self.refuse, self.rolls_back = folder, refuse, rolls_back
        self.database = f"rehearsal_{os.getpid()}"
        self.store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / "site.log"
        self.store.start()
        self.environment, self.of_the_site = self._environment(), self._of_the_site()

    def run(self) -> int:
        _sql(f'CREATE DATABASE "{self.database}"')
        environment = self.environment
        container = Container(environment | self.of_the_site, self.folder / "disk", self.log)
        render = Render(container, KEY)
        try:
            self._prepare(environment)
            if self.rolls_back:
                render.was_live(SERVICE, FORMER)
            known = environment | {"RENDER_API_URL": render.address}
            code = self._judge(self._run("deploy", known), render)
            return code or (self._roll_back(known, render) if self.rolls_back else 0)
        finally:
            container.kill()
            render.server.shutdown()
            self.store.stop()
            _sql(f'DROP DATABASE "{self.database}" WITH (FORCE)')

    def _run(self, name: str, environment: dict[str, str], **inputs: str) -> dict[str, str]:
        """Runs the workflow and returns the result of each job."""
        file = ROOT / ".github/workflows" / f"{name}.yml"
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        return Runner(file, self._contexts() | {"inputs": inputs}, environment, folder).run()

    def _roll_back(self, environment: dict[str, str], render: Render) -> int:
        """Rolls back to the previous champion and the previous code. Checks that the site serves this champion."""
        expected = {"render": SUCCESS, "ssh": SKIPPED}
        for inputs in ({"what": "model", "version": "1"}, {"what": "code", "version": ""}):
            results = self._run("rollback", environment, reason="rehearsal", **inputs)
            if results != expected:
                sys.stderr.write(f"rehearse: {results}\n{self.log.read_text()[-3000:]}")
                return 1
        is_back = render.deploys[SERVICE][0]["commit"]["id"] == FORMER
        sys.stdout.write(
            f"rehearse: version 1 is served again, {FORMER[:7] if is_back else 'no former commit'} is live\n"
        )
        return 0 if is_back else 1

    def _judge(self, results: dict[str, str], render: Render) -> int:
        """Returns exit code 0 if the results are as expected. After a refusal, Render must not have received a POST."""
        train, site = (FAILURE, SKIPPED) if self.refuse == "train" else (SUCCESS, FAILURE if self.refuse else SUCCESS)
        is_expected = results == {"train": train, "render": site, "ssh": SKIPPED}
        is_silent = not any(method == "POST" for method, _, _ in render.calls)
        if not is_expected or is_silent != bool(self.refuse):
            sys.stderr.write(f"rehearse: {results}, {len(render.calls)} requests to Render\n")
            sys.stderr.write(self.log.read_text()[-3000:] if self.log.exists() else "")
            return 1
        ending = "refused, nothing was deployed" if self.refuse else "deployed, a list is served"
        sys.stdout.write(f"rehearse: {ending}\n")
        return 0

    def _environment(self) -> dict[str, str]:
        host, port = self.store.get_host_and_port()
        names = ("PATH", "HOME", "LANG", "TZ")
        venv = str((ROOT / ".venv").resolve() / "bin")
        values = {name: os.environ[name] for name in names if name in os.environ}
        return values | {
            "PATH": f"{venv}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "ENV_FILE": os.devnull,
            "MOVIELENS_PATH": str(self.folder / "sample"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DJANGO_SETTINGS_MODULE": "movierec.settings",
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(8),
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "RENDER_POLL_SECONDS": "0.2",
        }

    def _of_the_site(self) -> dict[str, str]:
        return {
            "DATABASE_URL": _address(self.database),
            "SECRET_KEY": secrets.token_hex(32),
            "METRICS_TOKEN": secrets.token_hex(16),
            "MODEL_STORE": "s3://models/site",
            "CONFIG_FILE": str(self.folder / "policy.yaml"),
            "PORT": str(PORT),
            "HEALTH_PORT": str(HEALTH_PORT),
        }

    def _contexts(self) -> dict[str, Any]:
        of_the_site, environment = self.of_the_site, self.environment
        variables = {name: environment[name] for name in ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION")}
        variables |= {name: of_the_site[name] for name in ("MODEL_STORE", "CONFIG_FILE")}
        variables |= {"DEPLOY_TO": "render", "RENDER_SERVICES": SERVICE, "SITE_URL": f"http://127.0.0.1:{PORT}"}
        known = {name: environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        known |= {"RENDER_API_KEY": KEY, "DATABASE_URL": of_the_site["DATABASE_URL"]}
        run = {"conclusion": "success", "event": "push", "head_sha": COMMIT}
        github = {"event_name": "workflow_run", "event": {"workflow_run": run}, "sha": COMMIT}
        return {"github": github, "vars": variables, "secrets": known}

    def _prepare(self, environment: dict[str, str]) -> None:
        """Creates the sample, the policy, the bucket, and a site with the sample.

        With `--refuse site`, the site also has a champion trained on its own ratings. With `--roll-back`, it has one
        trained on the sample, which is also in the store."""
        _write_sample(self.folder / "sample")
        gate = QUICK["gate"] | ({"max_latency_ms": 1e-6} if self.refuse == "train" else {})
        (self.folder / "policy.yaml").write_text(yaml.safe_dump(QUICK | {"gate": gate}))
        os.environ.update({name: value for name, value in environment.items() if name.startswith("AWS_")})
        boto3.resource("s3").create_bucket(Bucket="models")
        values = environment | self.of_the_site | {"VAR_DIR": str(self.folder / "prepared")}
        values |= {} if self.rolls_back else {"MODEL_STORE": ""}
        code = PREPARE + (OWN_CHAMPION if self.refuse == "site" else FORMER_CHAMPION if self.rolls_back else "")
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=values, check=True)


def _address(database: str) -> str:
    return f"{POSTGRES.rsplit('/', 1)[0]}/{database}"


def _sql(statement: str) -> None:
    connection = psycopg2.connect(POSTGRES)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def _write_sample(folder: Path) -> None:
    """Writes a sample in MovieLens' layout, with 120 users who each like movies from 3 of 10 topics."""
    folder.mkdir()
    movies = [f"{n},Movie {n} ({1980 + n % 40}),Drama" for n in range(1, 91)]
    ratings = []
    for person in range(1, 121):
        liked = [10 + 8 * ((person * step) % 10) + n for step in (1, 3, 7) for n in range(1, 8) if (person + n) % 5]
        hits = [n for n in range(1, 11) if (person * n) % 3]
        for place, movie in enumerate(dict.fromkeys(liked + hits)):
            seconds = 1_500_000_000 + 200_000 * person + 100_000 * (place * 7 % 23)
            ratings.append(f"{person},{movie},{4 + (movie + person) % 3 / 2},{seconds}")
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *movies]) + "\n")
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings]) + "\n")
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n")
    (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n")


if __name__ == "__main__":
    sys.exit(main())
