import pytest
from django.core.management import CommandError, call_command


def test_without_redis_it_says_what_is_missing(settings):
    settings.REDIS_URL = ""

    with pytest.raises(CommandError, match="set REDIS_URL"):
        call_command("flower")


@pytest.mark.parametrize("sign_in", ["", "user", "user:", ":password"])
def test_a_sign_in_is_required(settings, sign_in):
    settings.REDIS_URL, settings.FLOWER_BASIC_AUTH = "redis://127.0.0.1:6379/0", sign_in

    with pytest.raises(CommandError, match="FLOWER_BASIC_AUTH=user:password"):
        call_command("flower")
