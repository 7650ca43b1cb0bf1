"""API key scopes. Views declare their required scopes as `scopes`. This module checks and describes them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS

from catalog.errors import MissingScope
from catalog.models import APIKey, Scope


@dataclass(frozen=True)
class Scopes:
    """The accepted scopes for reading and for writing. A key needs one of them, a session needs none."""

    reading: tuple[Scope, ...]
    writing: tuple[Scope, ...]

    def needed(self, method: str) -> tuple[Scope, ...]:
        return self.reading if method in SAFE_METHODS else self.writing


OWN = Scopes((Scope.READ,), (Scope.RATE,))
PUBLIC = Scopes((Scope.READ,), (Scope.READ,))
OPERATING = Scopes((Scope.READ,), (Scope.MODELS,))
BULK = Scopes((Scope.BULK,), (Scope.BULK,))


def require_scope(key: APIKey, *needed: Scope) -> None:
    """Raises MissingScope with the accepted scopes."""
    held = key.scope_list
    if not any(scope in held for scope in needed):
        names = {"needed": _(" or ").join(needed), "held": ", ".join(held)}
        raise MissingScope(
            _("This request requires an API key with the scope %(needed)s; this key has %(held)s.") % names
        )
