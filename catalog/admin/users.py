from typing import Any

from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.accounts import delete_account
from catalog.admin.large import CappedPaginator, CountedDeletion
from catalog.models import User


class UserAdmin(CountedDeletion, DjangoUserAdmin):
    paginator = CappedPaginator
    show_full_result_count = False
    list_display = ["username", "email", "source", "is_staff", "is_active", "date_joined"]
    list_filter = ["source", "is_staff", "is_superuser", "is_active", "groups"]
    readonly_fields = ["source", "external_id", "last_login", "date_joined"]
    fieldsets = [*DjangoUserAdmin.fieldsets, ("Provenance", {"fields": ["source", "external_id"]})]  # type: ignore[misc]

    def delete_model(self, request: HttpRequest, user: Any) -> None:
        delete_account(user=user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            delete_account(user=user)
