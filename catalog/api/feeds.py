"""Feeds: a user's lists at secret URLs, for programs that cannot send an Authorization header."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.api.authentication import KeyAuthentication
from catalog.api.inputs import QuerySerializer
from catalog.errors import FeedNotFound
from catalog.feeds import Feed, as_calendar, as_json, as_rss, watchlist_feed
from catalog.models import Scope, User
from catalog.throttling import FeedThrottle


class FeedMovieSerializer(serializers.Serializer[Any]):
    """A movie in a feed, as returned by `catalog.feeds.movie_json`."""

    title = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    release_date = serializers.DateField(allow_null=True)
    imdb_id = serializers.CharField(allow_null=True)
    tmdb_id = serializers.IntegerField(allow_null=True)
    url = serializers.CharField(help_text="The movie's page on this site.")
    reason = serializers.CharField(help_text="Why it is recommended, in the language of the request; may be empty.")


class Format(NamedTuple):
    """A feed's format: the function that writes it, and its type and schema in the OpenAPI document."""

    write: Callable[[Any, HttpRequest], HttpResponse]
    content_type: str
    schema: Any


RSS = Format(as_rss, "application/rss+xml", OpenApiTypes.BINARY)
CALENDAR = Format(as_calendar, "text/calendar", OpenApiTypes.STR)
JSON = Format(as_json, "application/json", FeedMovieSerializer(many=True))


class AnyAnswer(BaseContentNegotiation):
    """Ignores the Accept header, because feed readers send arbitrary ones. The URL determines the format."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def owner_of(key: str) -> User:
    """Returns the owner of a feeds key. Raises FeedNotFound for any other key."""
    try:
        user, row = KeyAuthentication().authenticate_key(key)
    except AuthenticationFailed:
        raise FeedNotFound from None
    if Scope.FEEDS not in row.scope_list:
        raise FeedNotFound
    return user


class FeedView(APIView, ABC):
    """Base class of feeds. GET returns the `contents` for the key's owner in the format of the URL."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [FeedThrottle]
    content_negotiation_class = AnyAnswer
    query: ClassVar[type[QuerySerializer] | None] = None
    format: ClassVar[Format]

    def get(self, request: Request, key: str) -> HttpResponse:
        return self.format.write(self.contents(owner_of(key), request), request._request)

    @abstractmethod
    def contents(self, owner: User, request: Request) -> Any: ...


def feed_paths(view: type[FeedView], address: str, **formats: Format) -> list[URLPattern]:
    """Returns one path and one API operation per format."""
    return [_path(view, address, extension, format) for extension, format in formats.items()]


def _path(view: type[FeedView], address: str, extension: str, format: Format) -> URLPattern:
    operation = extend_schema(
        operation_id=f"feeds_{address}_{extension}".replace("-", "_"),
        description=view.__doc__,
        parameters=[view.query] if view.query else [],
        responses={(200, format.content_type): format.schema},
    )
    own: Any = type(f"{view.__name__}{extension.title()}", (view,), {"format": format})
    return path(f"feeds/<str:key>/{address}.{extension}", extend_schema_view(get=operation)(own).as_view(), name="feed")


class WatchlistFeedView(FeedView):
    """The watchlist of the key's owner. The calendar has its upcoming releases."""

    def contents(self, owner: User, request: Request) -> Feed:
        return watchlist_feed(owner, title=_("Watchlist"))
