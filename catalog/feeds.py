"""Lists for other programs at an account's secret URL: RSS, JSON for Radarr, and a calendar."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Rss201rev2Feed
from django.utils.translation import get_language

from catalog.models import Movie, User
from catalog.site_settings import site_name

RSS_LENGTH = 100  # movies
TTL_MINUTES = 60  # how often readers should refresh
RELEASED_DAYS = 30  # days that a release stays in the calendar
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Entry(NamedTuple):
    movie: Movie
    reason: str = ""
    added_at: datetime | None = None


class Feed(NamedTuple):
    """A feed's movies. `page` is the URL of the page that shows the same list."""

    title: str
    page: str
    entries: list[Entry]


def watchlist_feed(user: User, *, title: str) -> Feed:
    """Returns the user's watchlist, most recently added first."""
    items = user.watchlist.select_related("movie")
    entries = [Entry(item.movie, added_at=item.added_at) for item in items]
    return Feed(title, reverse("catalog:watchlist"), entries)


def movie_json(entry: Entry, request: HttpRequest) -> dict[str, Any]:
    """Returns a movie as JSON. Radarr reads `title` and `imdb_id`, Seerr reads `tmdb_id`."""
    movie = entry.movie
    return {
        "title": movie.title,
        "year": movie.year,
        "release_date": movie.release_date and movie.release_date.isoformat(),
        "imdb_id": movie.imdb_id,
        "tmdb_id": movie.tmdb_id,
        "url": request.build_absolute_uri(movie.get_absolute_url()),
        "reason": entry.reason,
    }


def as_json(feed: Feed, request: HttpRequest) -> HttpResponse:
    return JsonResponse([movie_json(entry, request) for entry in feed.entries], safe=False)


class _Rss(Rss201rev2Feed):
    """An RSS feed that changes only if its movies change, so that readers get a 304.

    It omits its own URL, which is secret.
    """

    def add_root_elements(self, handler: Any) -> None:
        for name in ("title", "link", "description", "language", "ttl"):
            handler.addQuickElement(name, str(self.feed[name]))


def as_rss(feed: Feed, request: HttpRequest) -> HttpResponse:
    absolute = request.build_absolute_uri
    title = _plain(f"{feed.title} · {site_name()}")
    rss = _Rss(title, absolute(feed.page), title, language=get_language(), ttl=TTL_MINUTES)
    for movie, reason, added_at in feed.entries[:RSS_LENGTH]:
        rss.add_item(
            _plain(str(movie)),
            absolute(movie.get_absolute_url()),
            _plain(reason),
            unique_id=absolute(reverse("catalog:movie", args=[movie.pk])),  # without the title, which may change
            unique_id_is_permalink=True,
            pubdate=added_at,
        )
    return HttpResponse(rss.writeString("utf-8"), content_type=rss.content_type)


def as_calendar(feed: Feed, request: HttpRequest) -> HttpResponse:
    """Returns a calendar with an all-day event for each release since RELEASED_DAYS ago."""
    ical = import_module("icalendar")  # imported when used, because it takes 6 MB
    since = timezone.localdate() - timedelta(days=RELEASED_DAYS)
    calendar = ical.Calendar()
    title = _plain(f"{feed.title} · {site_name()}")
    values = {"prodid": "-//Movierec//Feeds//EN", "version": "2.0", "name": title, "x-wr-calname": title}
    for name, value in values.items():
        calendar.add(name, value)
    calendar.add("refresh-interval", timedelta(minutes=TTL_MINUTES), parameters={"VALUE": "DURATION"})
    for movie in _released(feed.entries, since):
        event = ical.Event()
        address = request.build_absolute_uri(movie.get_absolute_url())
        event.add("uid", f"movie-{movie.pk}@{request.get_host()}")
        event.add("dtstamp", movie.updated_at)  # RFC 5545: when the event was last changed
        event.add("dtstart", movie.release_date)
        event.add("summary", _plain(movie.title))
        event.add("url", address)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return HttpResponse(calendar.to_ical(), content_type="text/calendar; charset=utf-8")


def _released(entries: Iterable[Entry], since: Any) -> list[Movie]:
    movies = [entry.movie for entry in entries if entry.movie.release_date and entry.movie.release_date >= since]
    return sorted(movies, key=lambda movie: (movie.release_date, movie.pk))


def _plain(text: str) -> str:
    """Removes characters that are not valid in XML."""
    return NOT_IN_XML.sub("", text)
