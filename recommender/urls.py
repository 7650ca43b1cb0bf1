"""URLs of the recommender's pages."""

from django.urls import path

from recommender import for_you, views, welcome

app_name = "recommender"
urlpatterns = [
    path("", views.home, name="home"),
    path("for-you/", for_you.for_you, name="for-you"),
    path("together/", for_you.together, name="together"),
    path("together/consent/", for_you.consent, name="taste-consent"),
    path("watchlist/by-liking/", for_you.watchlist, name="watchlist-by-liking"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("movies/<id:movie_id>/similar/", views.similar_movies, name="similar-fragment"),
    path("movies/<id:movie_id>/why/", views.why, name="why"),
    path("r/<uuid:request_id>/<id:movie_id>/", views.follow, name="follow"),
    path("feedback/", views.feedback, name="feedback"),
    path("not-interested/", views.not_interested, name="not-interested"),
]
