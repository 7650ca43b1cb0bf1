"""Security headers of all kinds of responses, and Django's deployment checks."""

import subprocess
import sys

import pytest

from tests.processes import ROOT, environment

HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest.mark.parametrize("path", ["/movies/", "/nothing/", "/api/v1/movies/", "/api/v1/nothing/", "/admin/login/"])
def test_every_answer_has_the_headers(client, db, path):
    answer = client.get(path)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "default-src" in answer.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in answer.headers


def test_https_is_demanded_for_a_year(client, db, settings):
    settings.SECURE_HSTS_SECONDS = 31_536_000

    assert client.get("/movies/", secure=True).headers["Strict-Transport-Security"] == "max-age=31536000"


def test_django_has_no_warning_about_a_site_with_https(tmp_path):
    values = environment(HTTPS="true", VAR_DIR=str(tmp_path), DATABASE_URL="", REDIS_URL="", SECRET_KEY="")
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]

    checked = subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout
