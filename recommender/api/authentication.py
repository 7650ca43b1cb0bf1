"""Who asks for others' lists, and whether they may: one query says both, so that each change takes hold at once."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Exists, OuterRef

from catalog.api.authentication import TokenAuthentication, of_key
from catalog.models import User
from catalog.prepared import PreparedQuery, Row


def _permitted(user: Any) -> Any:
    """Whether the user of that id or a group of theirs has the permission."""
    permission = Permission.objects.filter(
        content_type__app_label="recommender", codename="recommend_for_others"
    ).values("pk")
    own = User.user_permissions.through.objects.filter(user_id=user, permission__in=permission)
    return Exists(own) | Exists(Group.objects.filter(user=user, permissions__in=permission))


def _service_of_key(key: str) -> Any:
    return of_key(key).annotate(is_permitted=_permitted(OuterRef("user_id")))


class ServiceTokenAuthentication(TokenAuthentication):
    query = PreparedQuery(_service_of_key, example="of a token")

    def user_of(self, row: Row) -> User:
        user = super().user_of(row)
        user.is_permitted = bool(row[-1])  # type: ignore[attr-defined]
        return user


def may_recommend_for_others(user: Any) -> bool:
    """By the query of the token, if it was one."""
    if not user.is_authenticated or user.is_superuser:
        return bool(user.is_authenticated)
    if not hasattr(user, "is_permitted"):
        user.is_permitted = User.objects.filter(_permitted(user.pk), pk=user.pk).exists()
    return bool(user.is_permitted)
