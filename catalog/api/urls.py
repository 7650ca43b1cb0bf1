"""API routes of `catalog`, under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from catalog.api import bulk, feeds, matches, personal, services, transfers, views

router = SimpleRouter(use_regex_path=False)
router.register("movies", views.MovieViewSet)  # movies/  movies/{id}/
router.register("ratings", views.RatingViewSet)  # ratings/  ratings/{movie_id}/
router.register("watchlist", views.WatchlistViewSet)  # watchlist/  watchlist/{movie_id}/
router.register("diary", personal.DiaryViewSet)  # diary/  diary/{id}/
router.register("lists", personal.MovieListViewSet)  # lists/  lists/{id}/  lists/{id}/movies/{movie_id}/
router.register("following", personal.FollowedSourceViewSet)  # following/{id}/sync/  following/{id}/unmatched/
router.register("import", transfers.UserImportViewSet)  # import/{id}/  import/{id}/entries/  import/{id}/commit/
router.register("match-choices", matches.MatchChoiceViewSet)  # match-choices/  match-choices/{id}/

urlpatterns = [
    path("accounts/", views.AccountsView.as_view(), name="accounts"),
    path("bulk/movies/", bulk.BulkMoviesView.as_view(), name="bulk-movies"),
    path("bulk/users/", bulk.BulkUsersView.as_view(), name="bulk-users"),
    path("bulk/ratings/", bulk.BulkRatingsView.as_view(), name="bulk-ratings"),
    path("export/<str:site>/", transfers.ExportView.as_view(), name="export"),
    path("hooks/<slug:service>/<str:key>/", transfers.HookView.as_view(), name="hook"),
    path("services/", services.ServicesView.as_view(), name="services"),
    path("token/", views.TokenView.as_view(), name="token"),
    *feeds.feed_paths(feeds.WatchlistFeedView, "watchlist", json=feeds.JSON, rss=feeds.RSS, ics=feeds.CALENDAR),
    *router.urls,
]
