"""Tests that `create_token` prints a working key and nothing else."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

pytestmark = pytest.mark.django_db


def create_token(*arguments: str) -> None:
    call_command("create_token", *arguments)


def test_the_key_stands_alone_on_stdout_and_works(api, nora, capsys):
    create_token("--user", "nora", "--scope", "rate", "--scope", "read", "--name", "cron", "--expires-in", "30d")
    printed = capsys.readouterr()
    row = nora.api_keys.get()

    assert printed.err == ""
    assert printed.out.removesuffix("\n") == printed.out.strip() != ""
    assert (row.name, row.scopes) == ("cron", "read rate")
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    api.credentials(HTTP_AUTHORIZATION=f"Token {printed.out.strip()}")
    assert api.put("/api/v1/watchlist/1/").status_code == 404


def test_without_a_period_it_is_valid_until_revoked(nora, capsys):
    create_token("--user", "nora", "--scope", "read")

    assert nora.api_keys.get().expires_at is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--user", "nobody", "--scope", "read"], "User 'nobody' does not exist."),
        (["--user", "nora", "--scope", "bulk"], "Invalid scopes: bulk"),
        (["--user", "nora", "--scope", "everything"], "invalid choice: 'everything'"),
        (["--user", "nora", "--scope", "read", "--name", " "], "Enter a name"),
        (["--user", "nora"], "--scope"),
        *[
            (["--user", "nora", "--scope", "read", f"--expires-in={bad}"], "such as 12h, 30d or 8w")
            for bad in ("30", "0d", "-1d", "1y", "99999d")
        ],
    ],
)
@pytest.mark.wording
def test_bad_arguments_say_what_was_expected(nora, capsys, arguments, told):
    with pytest.raises(CommandError, match=told):
        create_token(*arguments)
    assert capsys.readouterr().out == ""
    assert not nora.api_keys.exists()
