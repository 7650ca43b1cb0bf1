"""API routes of `catalog`, below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from catalog.api.views.accounts import AccountsView, TokenView
from catalog.api.views.bulk import BulkMoviesView, BulkRatingsView, BulkUsersView
from catalog.api.views.imports import ExportView, UserImportViewSet
from catalog.api.views.movies import MovieViewSet, RatingViewSet, WatchlistViewSet

router = SimpleRouter(use_regex_path=False)
router.register("movies", MovieViewSet)  # movies/  movies/{id}/
router.register("ratings", RatingViewSet)  # ratings/  ratings/{movie_id}/
router.register("watchlist", WatchlistViewSet)  # watchlist/  watchlist/{movie_id}/
router.register("import", UserImportViewSet)  # import/  import/{id}/  import/{id}/entries/  import/{id}/commit/

urlpatterns = [
    path("accounts/", AccountsView.as_view(), name="accounts"),
    path("bulk/movies/", BulkMoviesView.as_view(), name="bulk-movies"),
    path("bulk/users/", BulkUsersView.as_view(), name="bulk-users"),
    path("bulk/ratings/", BulkRatingsView.as_view(), name="bulk-ratings"),
    path("export/<str:site>/", ExportView.as_view(), name="export"),
    path("token/", TokenView.as_view(), name="token"),
    *router.urls,
]
