"""The recommender's URLs below /api/v1/."""

from django.urls import path

from catalog.api.feeds import JSON, RSS, feed_paths
from recommender.api import feeds, views
from recommender.api.batch import RecommendBatchView

urlpatterns = [
    path("recommendations/", views.RecommendationsView.as_view(), name="recommendations"),
    path("recommendations/new/", views.NewRecommendationsView.as_view(), name="recommendations-new"),
    path("movies/<id:movie_id>/similar/", views.SimilarMoviesView.as_view(), name="movie-similar"),
    path("recommend", views.RecommendView.as_view(), name="recommend"),
    path("recommend/batch", RecommendBatchView.as_view(), name="recommend-batch"),
    path("recommend_new_movies", views.RecommendNewMoviesView.as_view(), name="recommend-new-movies"),
    path("feedback/", views.FeedbackView.as_view(), name="feedback"),
    *feed_paths(feeds.RecommendationsFeedView, "recommendations", json=JSON, rss=RSS),
    *feed_paths(feeds.NewMoviesFeedView, "new", json=JSON, rss=RSS),
    *feed_paths(feeds.BecauseYouWatchedFeedView, "because-you-watched", json=feeds.ROWS_OF_JSON),
    # The same URLs with a trailing slash, for clients that always append one.
    path("recommend/", views.RecommendView.as_view(schema=None)),
    path("recommend/batch/", RecommendBatchView.as_view(schema=None)),
    path("recommend_new_movies/", views.RecommendNewMoviesView.as_view(schema=None)),
]
