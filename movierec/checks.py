"""System checks of the configuration. They run with `manage.py check` and on every start."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from recommender.estimators import ALGORITHMS


@register(Tags.files)
def folders_are_writable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for name in ("MODEL_DIR", "SNAPSHOT_DIR"):
        folder = Path(getattr(settings, name))
        nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            yield Error(
                f"{name} ({folder}) is not writable: {nearest} does not allow it.",
                hint=f"Set {name} to a folder that this user can write to, or change the owner of that one.",
                id="movierec.E001",
            )


@register()
def algorithms_are_known(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    training = settings.POLICY.training
    named = {"training.algorithm": [training.algorithm], "training.parameters": list(training.parameters)}
    for key, names in named.items():
        for name in names:
            if name not in ALGORITHMS:
                yield Error(
                    f"config.yaml: {key}: there is no algorithm {name!r}.",
                    hint=f"Known algorithms: {', '.join(sorted(ALGORITHMS))}.",
                    id="movierec.E002",
                )


@register()
def parameters_are_known(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for name, parameters in settings.POLICY.training.parameters.items():
        if name in ALGORITHMS:
            from recommender.estimators import ESTIMATORS  # slow to import and rarely needed

            try:
                ESTIMATORS[name](**parameters)
            except (TypeError, ValueError) as error:
                yield Error(
                    f"config.yaml: training.parameters.{name}: {error}",
                    hint="Give only hyper-parameters of the algorithm; training chooses the others.",
                    id="movierec.E003",
                )


@register(Tags.security)
def debug_is_off_in_real_installations(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> Iterable[CheckMessage]:
    if settings.DEBUG and not settings.EMBEDDED:
        yield Error(
            "DEBUG is on together with DATABASE_URL: error pages would show settings and data to everyone.",
            hint="Unset DEBUG, or unset DATABASE_URL during development.",
            id="movierec.E004",
        )


@register(Tags.security)
def hosts_are_named(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if not settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS is empty: every request would be refused.",
            hint="Set the domain of the site, as ALLOWED_HOSTS=movies.example.org, or unset the variable.",
            id="movierec.E005",
        )
    if "*" in settings.ALLOWED_HOSTS and not settings.EMBEDDED:
        yield Error(
            "ALLOWED_HOSTS accepts every host: a forged Host header could change where links and redirects point.",
            hint="Set the domain of the site, as ALLOWED_HOSTS=movies.example.org.",
            id="movierec.E006",
        )
    if settings.HTTPS and (bad := [origin for origin in settings.CSRF_TRUSTED_ORIGINS if "https://" not in origin]):
        yield Error(
            f"CSRF_TRUSTED_ORIGINS contains {', '.join(bad)}, but HTTPS is on.",
            hint="Write each origin with its scheme, as https://movies.example.org.",
            id="movierec.E007",
        )


@register(Tags.security, deploy=True)
def connections_are_encrypted(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if not settings.HTTPS and not settings.EMBEDDED:
        yield Warning(
            "HTTPS is off: passwords and tokens travel in clear text.",
            hint="Put a proxy in front that ends TLS and sets X-Forwarded-Proto, and set HTTPS=true.",
            id="movierec.W001",
        )


@register(Tags.caches)
def redis_answers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if not settings.REDIS_URL:
        return
    import redis  # imported here because it is slow to import and not needed by an embedded site

    addresses = {"REDIS_URL": settings.REDIS_URL, "CACHE_URL": settings.COUNTER_URL}
    for name, address in addresses.items():
        parts = urlsplit(address)
        try:
            with redis.Redis.from_url(address, socket_timeout=1, socket_connect_timeout=1) as client:
                client.ping()
        except (redis.RedisError, TypeError, ValueError) as error:  # redis-py raises the last two for unknown options
            yield Warning(
                f"{name}: Redis at {parts.hostname or parts.path}:{parts.port or 6379} does not answer: {error}",
                hint="Correct the address, password or TLS options; until then tasks wait.",
                id="movierec.W003",
            )


@register(deploy=True)
def broker_is_shared(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if not settings.EMBEDDED and not settings.REDIS_URL:
        yield Warning(
            "DATABASE_URL is set but REDIS_URL is not: the broker is files, which only one machine can read.",
            hint="Set REDIS_URL=redis://host:6379/0 before a second machine runs workers.",
            id="movierec.W002",
        )
