"""Services for public profiles: publishing by users, and removal by staff."""

import re

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.errors import InvalidProfile
from catalog.models import Profile, User
from catalog.models.personal import PROFILE_NAME
from catalog.text import visible


def save_profile(*, user: User, name: str, is_public: bool, shows_diary: bool) -> Profile:
    """Saves the profile. Raises InvalidProfile if staff have hidden it or the name is missing, invalid or taken."""
    name = visible(name)
    with transaction.atomic():
        Profile.objects.get_or_create(user=user)
        profile = Profile.objects.select_for_update(no_key=True).get(user=user)
        if is_public and profile.hidden_at:
            raise InvalidProfile(_("The staff of this site have hidden your profile and public lists."), fields={})
        if is_public and not name:
            raise _invalid_name(_("Enter a name for your public profile."))
        if name and not re.fullmatch(PROFILE_NAME, name):
            raise _invalid_name(
                _("Enter 2 to 30 lowercase letters, digits, hyphens or underscores, starting with a letter.")
            )
        if name and User.objects.filter(username__iexact=name).exclude(pk=user.pk).exists():
            raise _invalid_name(_("This name is already taken."))
        profile.name, profile.is_public, profile.shows_diary = name or None, is_public, shows_diary
        try:
            with transaction.atomic():
                profile.save()
        except IntegrityError:
            raise _invalid_name(_("This name is already taken.")) from None
    return profile


def hide_profile(*, user: User) -> bool:
    """Hides the user's profile and public lists until `lift_hiding`. Returns False if they were already hidden."""
    Profile.objects.get_or_create(user=user)
    hidden = Profile.objects.filter(user=user, hidden_at=None)
    return bool(hidden.update(hidden_at=timezone.now(), is_public=False))


def lift_hiding(*, user: User) -> bool:
    """Lets the user publish again. The profile stays private until they do. Returns False if it was not hidden."""
    return bool(Profile.objects.filter(user=user).exclude(hidden_at=None).update(hidden_at=None))


def _invalid_name(message: str) -> InvalidProfile:
    return InvalidProfile(message, fields={"name": [message]})
