"""The first run. A link in the log leads to the page that creates the first staff account.

The link's code is computed from SECRET_KEY and a random nonce in the database. It is not stored, and stays the same
until it is used or replaced.
"""

import base64
import secrets
from collections.abc import Callable
from urllib.parse import urlencode, urljoin

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from catalog.errors import InvalidSignUp, SetupClosed
from catalog.models import User
from catalog.models.site_settings import SiteSettings
from catalog.sign_ups import sign_up_errors


def is_open() -> bool:
    """Returns whether the site has no superuser yet."""
    return not User.objects.filter(is_superuser=True).exists()


def new_code() -> str:
    """Replaces the current code and returns the new one."""
    nonce = secrets.token_urlsafe(24)
    row, _made = SiteSettings.objects.get_or_create(pk=1)
    row.setup_nonce = nonce
    row.save(update_fields=["setup_nonce"])
    return _code(nonce)


def present_code() -> str:
    nonce = SiteSettings.objects.filter(pk=1).values_list("setup_nonce", flat=True).first()
    return _code(nonce) if nonce else new_code()


def is_code(given: str) -> bool:
    nonce = SiteSettings.objects.filter(pk=1).values_list("setup_nonce", flat=True).first()
    return _fits(given, nonce or "")


def link(code: str, *, base: str = "") -> str:
    """Returns the page's URL at `base`, by default at the site's own address."""
    return f"{urljoin(base or site_address(), reverse('catalog:setup'))}?{urlencode({'code': code})}"


def site_address() -> str:
    if origins := [origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin]:
        return origins[0]
    host = next((host for host in settings.ALLOWED_HOSTS if host.strip(".*")), "127.0.0.1").lstrip(".")
    is_local = host in ("127.0.0.1", "localhost", "[::1]")
    return f"http{'s' if settings.HTTPS else ''}://{host}{f':{settings.PORT}' if is_local else ''}"


def create_first_account(
    *, code: str, username: str, email: str, password: str, change: Callable[[SiteSettings], object]
) -> User:
    """Creates the first superuser and saves the site's settings in one transaction. Uses up the code.

    If two people do so at once, the second gets SetupClosed. Raises InvalidSignUp if the name was taken meanwhile.
    """
    user = User(username=User.normalize_username(username.strip()), email=User.objects.normalize_email(email))
    user.set_password(password)
    try:
        with transaction.atomic():
            make_first_staff(code=code, user=user, change=change)
            if email:  # confirmed, because the person can read the site's log
                EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    except IntegrityError:
        raise InvalidSignUp(fields=sign_up_errors(username=username, email=email, password=password)) from None
    return user


def make_first_staff(*, code: str, user: User, change: Callable[[SiteSettings], object]) -> None:
    """Makes a saved or new account the first superuser, like `create_first_account`. Raises SetupClosed."""
    with transaction.atomic():
        row = SiteSettings.objects.select_for_update().filter(pk=1).first()
        if row is None or not _fits(code, row.setup_nonce) or not is_open():
            raise SetupClosed
        user.is_staff = user.is_superuser = True
        user.save()
        row.setup_nonce = ""
        change(row)
        row.save()


def _fits(given: str, nonce: str) -> bool:
    return bool(nonce) and constant_time_compare(given, _code(nonce))


def _code(nonce: str) -> str:
    digest = salted_hmac("catalog.setup", nonce, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()
