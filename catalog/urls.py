"""Page routes of `catalog`."""

from django.contrib.auth.views import LogoutView
from django.contrib.sitemaps import views as sitemaps
from django.urls import path

from catalog.views import accounts, diary, library, lists, movies, record, sign_in, site

app_name = "catalog"
urlpatterns = [
    path("movies/", movies.movies, name="movies"),
    path("movies/<id:movie_id>/", movies.movie_detail, name="movie"),
    path("movies/<id:movie_id>-<slug:slug>/", movies.movie_detail, name="movie-detail"),
    path("movies/<id:movie_id>/rating/", library.rate, name="rate"),
    path("movies/<id:movie_id>/watchlist/", library.change_watchlist, name="change-watchlist"),
    path("movies/<id:movie_id>/watched/", record.watched, name="watched"),
    path("movies/<id:movie_id>/note/", record.note, name="note"),
    path("movies/<id:movie_id>/lists/", record.choose, name="choose-lists"),
    path("movies/<id:movie_id>/in-lists/", lists.lists_with, name="lists-with"),
    path("suggestions/", movies.suggestions, name="suggestions"),
    path("people/<id:person_id>/", movies.person, name="person"),
    path("people/<id:person_id>-<slug:slug>/", movies.person, name="person-detail"),
    path("people/<slug:name>/", lists.profile, name="profile"),
    path("genres/<slug:slug>/", movies.genre, name="genre"),
    path("favicon.ico", site.favicon, name="favicon"),
    path("theme/", site.choose_theme, name="theme"),
    path("manifest.webmanifest", site.manifest, name="manifest"),
    path("sw.js", site.service_worker, name="service-worker"),
    path("offline/", site.offline, name="offline"),
    path("robots.txt", site.robots, name="robots"),
    path(
        "sitemap.xml",
        sitemaps.index,
        {"sitemaps": site.SITEMAPS, "sitemap_url_name": "catalog:sitemap"},
        name="sitemaps",
    ),
    path("sitemap-<slug:section>.xml", site.sitemap, name="sitemap"),
    path("posters/<id:movie_id>.svg", movies.poster, name="poster"),
    path("ratings/", library.ratings, name="ratings"),
    path("watchlist/", library.watchlist, name="watchlist"),
    path("statistics/", lists.statistics, name="statistics"),
    path("diary/", diary.diary, name="diary"),
    path("diary/add/", diary.find, name="diary-add"),
    path("diary/unrated/", diary.unrated, name="unrated"),
    path("diary/<id:viewing_id>/", diary.entry, name="diary-entry"),
    path("lists/", lists.lists, name="lists"),
    path("lists/<slug:key>/", lists.movie_list, name="list"),
    path("lists/<slug:key>/edit/", lists.edit, name="edit-list"),
    path("lists/<slug:key>/movies/<id:movie_id>/", lists.change_movie, name="change-list-movie"),
    path("import/", library.upload, name="import"),
    path("import/<id:import_id>/commit/", library.commit, name="commit-import"),
    path("import/<id:import_id>/answer/", library.answer, name="answer-import"),
    path("import/<id:import_id>/discard/", library.discard, name="discard-import"),
    path("accounts/", accounts.account, name="account"),
    path("accounts/export/<str:format>/", library.export, name="export"),
    path("accounts/sign-up/", sign_in.sign_up, name="sign-up"),
    path("accounts/sign-in/", sign_in.SignInView.as_view(), name="sign-in"),
    path("accounts/sign-out/", LogoutView.as_view(), name="sign-out"),
    path("accounts/profile/", accounts.change_profile, name="change-profile"),
    path("accounts/password/", accounts.ChangePasswordView.as_view(), name="password-change"),
    path("accounts/token/", accounts.create_token, name="create-token"),
    path("accounts/token/revoke/", accounts.revoke_token, name="revoke-token"),
    path("accounts/delete/", accounts.delete, name="delete-account"),
]
