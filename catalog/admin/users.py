"""Users with their ratings, viewings, watchlists and API keys."""

from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.accounts import delete_account
from catalog.admin.large import CappedPaginator, CountedDeletion, DeletesEach, LargeTableAdmin
from catalog.admin.sign_in import PasswordLinks
from catalog.keys import revoke_keys
from catalog.models import APIKey, Rating, User, Viewing, WatchlistItem
from catalog.profiles import hide_profile, lift_hiding
from catalog.services import record_rating, remove_rating


@admin.register(User)
class UserAdmin(PasswordLinks, CountedDeletion, DeletesEach, DjangoUserAdmin):
    paginator = CappedPaginator
    show_full_result_count = False
    list_display = ["username", "email", "source", "is_staff", "is_active", "date_joined"]
    list_filter = ["source", "is_staff", "is_superuser", "is_active", "groups"]
    readonly_fields = ["source", "external_id", "last_login", "date_joined"]
    actions = ["make_password_link", "hide_published", "lift_hiding", "revoke_keys"]
    fieldsets = [*DjangoUserAdmin.fieldsets, (gettext_lazy("Provenance"), {"fields": ["source", "external_id"]})]  # type: ignore[misc]

    def save_model(self, request: HttpRequest, user: User, form: Any, change: bool) -> None:
        """Saves a user. If staff changed the address, it must be confirmed again."""
        user.note_skeleton()
        super().save_model(request, user, form, change)
        if change and "email" in form.changed_data:
            EmailAddress.objects.filter(user=user).delete()

    def delete_model(self, request: HttpRequest, user: Any) -> None:
        delete_account(user=user)

    @admin.action(description=gettext_lazy("Hide profile and public lists"), permissions=["change"])
    def hide_published(self, request: HttpRequest, users: Any) -> None:
        done = [user for user in users if hide_profile(user=user)]
        self._tell(
            request, done, _("The profile and public lists are now hidden. The user sees a notice on the account page.")
        )

    @admin.action(description=gettext_lazy("Allow users to publish again"), permissions=["change"])
    def lift_hiding(self, request: HttpRequest, users: Any) -> None:
        done = [user for user in users if lift_hiding(user=user)]
        self._tell(request, done, _("The profile and public lists are visible again."))

    @admin.action(description=gettext_lazy("Revoke all API keys"), permissions=["change"])
    def revoke_keys(self, request: HttpRequest, users: Any) -> None:
        done = [user for user in users if revoke_keys(user)]
        self._tell(request, done, _("Revoked all API keys."))

    def _tell(self, request: HttpRequest, users: list[User], done: str) -> None:
        for user in users:
            self.log_change(request, user, done)
        self.message_user(request, f"{', '.join(map(str, users))}: {done}" if users else _("No changes were needed."))


class MoviesOfUsers(LargeTableAdmin):
    list_select_related = ["user", "movie"]
    raw_id_fields = ["user", "movie"]
    search_fields = ["=user__username", "=movie__title"]
    search_help_text = gettext_lazy("Exact username or movie title")


class RatingForm(forms.ModelForm):
    class Meta:
        model = Rating
        fields = ["user", "movie", "rating", "rated_at", "source"]

    def clean_rated_at(self) -> Any:
        moment = self.cleaned_data["rated_at"]
        if moment > timezone.now():
            raise forms.ValidationError(_("The rating date cannot be in the future."))
        return moment


@admin.register(Rating)
class RatingAdmin(DeletesEach, MoviesOfUsers):
    form = RatingForm
    list_display = ["user", "movie", "rating", "rated_at", "source"]
    list_filter = ["source", "rating"]

    def get_readonly_fields(self, request: HttpRequest, obj: Rating | None = None) -> list[str]:
        return ["user", "movie"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"rated_at": timezone.now()} | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, rating: Rating, form: Any, change: bool) -> None:
        row = record_rating(
            user=rating.user, movie=rating.movie, rating=rating.rating, rated_at=rating.rated_at, source=rating.source
        )
        rating.pk = row.pk

    def delete_model(self, request: HttpRequest, rating: Rating) -> None:
        remove_rating(user=rating.user, movie=rating.movie)


@admin.register(WatchlistItem)
class WatchlistItemAdmin(MoviesOfUsers):
    list_display = ["user", "movie", "added_at"]


@admin.register(Viewing)
class ViewingAdmin(MoviesOfUsers):
    list_display = ["user", "movie", "watched_on", "is_rewatch", "recorded_at"]


@admin.register(APIKey)
class APIKeyAdmin(LargeTableAdmin):
    """API keys of users. Only their hashes are stored. Deleting a row revokes its key."""

    list_display = ["name", "user", "prefix", "scopes", "created_at", "expires_at", "last_used_at"]
    list_select_related = ["user"]
    list_filter = ["is_from_sign_in"]
    search_fields = ["=user__username", "^prefix"]
    search_help_text = gettext_lazy("Exact username, or the first characters of the key")
    fields = ["user", "name", "prefix", "scopes", "is_from_sign_in", "created_at", "expires_at", "last_used_at"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: APIKey | None = None) -> bool:
        return False

    @admin.action(description=gettext_lazy("Revoke keys"), permissions=["delete"])
    def revoke(self, request: HttpRequest, keys: Any) -> None:
        self.log_deletions(request, keys)
        n, _each = keys.delete()
        self.message_user(request, ngettext("Revoked %(n)d key.", "Revoked %(n)d keys.", n) % {"n": n})
