"""Lists for other programs, by the secret address of an account: RSS, JSON that Radarr reads, and a calendar."""

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
TTL_MINUTES = 60  # after which readers ask again
RELEASED_DAYS = 30  # for which a calendar keeps a release
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Entry(NamedTuple):
    movie: Movie
    reason: str = ""
    added_at: datetime | None = None


class Feed(NamedTuple):
    """`page` is the address of the page that shows the same."""

    title: str
    page: str
    entries: list[Entry]


def watchlist_feed(user: User, *, title: str) -> Feed:
    """All movies that the user wants to see, the latest addition first."""
    items = user.watchlist.select_related("movie")
    entries = [Entry(item.movie, added_at=item.added_at) for item in items]
    return Feed(title, reverse("catalog:watchlist"), entries)


def movie_json(entry: Entry, request: HttpRequest) -> dict[str, Any]:
    """`title` and `imdb_id` are what Radarr reads of a list, `tmdb_id` what Seerr takes."""
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
    """Says nothing that changes while the movies do not, so that a reader that has them gets a 304, and not its own
    address, which is secret."""

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
    """A day for each release to come, and those of the last RELEASED_DAYS."""
    ical = import_module("icalendar")  # when used: it takes 6 MB
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
        event.add("dtstamp", movie.updated_at)  # when the event was last changed, as RFC 5545 has it
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
    """Without what XML cannot hold."""
    return NOT_IN_XML.sub("", text)
