"""Users with their ratings, viewings and watchlists."""

from typing import Any

from django import forms
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.accounts import delete_account
from catalog.admin.large import CappedPaginator, CountedDeletion, LargeTableAdmin
from catalog.models import Rating, User
from catalog.services import record_rating, remove_rating


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


class RatingForm(forms.ModelForm):
    class Meta:
        model = Rating
        fields = ["user", "movie", "rating", "rated_at", "source"]

    def clean_rated_at(self) -> Any:
        moment = self.cleaned_data["rated_at"]
        if moment > timezone.now():
            raise forms.ValidationError("A rating cannot be of the future.")
        return moment


class RatingAdmin(LargeTableAdmin):
    form = RatingForm
    list_display = ["user", "movie", "rating", "rated_at", "source"]
    list_filter = ["source", "rating"]
    list_select_related = ["user", "movie"]
    raw_id_fields = ["user", "movie"]
    search_fields = ["=user__username", "=movie__title"]
    search_help_text = "A user's name or a movie's title, as it is written"

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

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for rating in queryset.select_related("user", "movie"):
            self.delete_model(request, rating)


class WatchlistItemAdmin(LargeTableAdmin):
    list_display = ["user", "movie", "added_at"]
    list_select_related = ["user", "movie"]
    raw_id_fields = ["user", "movie"]
    search_fields = ["=user__username", "=movie__title"]


class ViewingAdmin(LargeTableAdmin):
    list_display = ["user", "movie", "watched_on", "is_rewatch", "recorded_at"]
    list_select_related = ["user", "movie"]
    raw_id_fields = ["user", "movie"]
    search_fields = ["=user__username", "=movie__title"]
    search_help_text = "A user's name or a movie's title, as it is written"
