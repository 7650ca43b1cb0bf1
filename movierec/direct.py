"""Answers the most frequent API requests without the middleware and REST framework that all others need.

`Direct` takes only requests that programs usually send: a key, a JSON body, no cookie. It reads the key, checks the
right to the list and counts the request with the same code as the endpoint. It leaves all other requests to the
endpoint, for example those with an invalid key or body, so that a single place makes errors. The headers are those that
the endpoint and the remaining middleware gave to an earlier request of the same kind.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils.translation import activate
from django_prometheus.middleware import PrometheusAfterMiddleware
from django_prometheus.utils import Time
from rest_framework.exceptions import AuthenticationFailed

from catalog.api.inputs import MAX_ID
from catalog.site_settings import language
from recommender.api.list_json import list_json
from recommender.api.views import RecommendView, ServiceKeyAuthentication
from recommender.serving.lists import RecommendationList
from recommender.serving.profile import UserProfile
from recommender.serving.request import MAX_K

Handler = Callable[[HttpRequest], HttpResponse]

PATH = "/api/v1/recommend"
ACCEPTED = ("*/*", "application/json")
MAX_BODY = 500  # bytes; a valid body is shorter
MAX_KINDS = 100
PER_LIST = ("X-Model-Version", "Content-Length")  # the headers that differ between answers of one kind

_authentication = ServiceKeyAuthentication()


class Kind(NamedTuple):
    """All that the headers of an answer depend on."""

    host: str
    scheme: str
    forwarded_scheme: str
    language: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Kind":
        sent = request.META
        forwarded = sent.get("HTTP_X_FORWARDED_PROTO", "")
        return cls(sent.get("HTTP_HOST", ""), sent["wsgi.url_scheme"], forwarded, language())


@dataclass(frozen=True)
class Body:
    user_id: int
    num_recommendations: int = 10
    include_new_movies: bool = False

    @classmethod
    def read(cls, content: bytes) -> "Body | None":
        """Return the body, or None if it is not exactly what the endpoint documents."""
        try:
            body = cls(**orjson.loads(content))
        except (orjson.JSONDecodeError, TypeError):  # not JSON, not an object, or other names
            return None
        numbers = ((body.user_id, MAX_ID), (body.num_recommendations, MAX_K))
        is_valid = all(type(number) is int and 1 <= number <= most for number, most in numbers)
        return body if is_valid and type(body.include_new_movies) is bool else None


class _Metrics(PrometheusAfterMiddleware):
    """Looks up the metric of each combination of labels once. Its few views, methods and statuses bound the number."""

    def __init__(self, get_response: Handler) -> None:
        super().__init__(get_response)
        self._known: dict[Any, Any] = {}

    def label_metric(self, metric: Any, request: Any, response: Any = None, **labels: str) -> Any:
        key = (metric, *labels.values())
        if key not in self._known:
            self._known[key] = super().label_metric(metric, request, response, **labels)
        return self._known[key]


@cache
def _endpoint() -> ResolverMatch:
    return resolve(PATH)


class Direct:
    """The middleware. It stands where all later middleware only adds constant headers to an answer."""

    def __init__(self, get_response: Handler) -> None:
        if settings.TRACING:  # spans need the view
            raise MiddlewareNotUsed
        self._get_response = get_response
        self._metrics = _Metrics(get_response)
        self._headers: dict[Kind, dict[str, str]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _is_usual(request):
            return self._get_response(request)
        kind = Kind.of(request)
        headers = self._headers.get(kind)
        if headers is None:
            return self._learn(kind, self._get_response(request))
        began = Time()
        activate(kind.language)
        recommendations = _answer(request)
        if recommendations is None:
            return self._get_response(request)
        content, version = list_json(recommendations), recommendations.version_label
        own = dict(zip(PER_LIST, (version, str(len(content))), strict=True))
        response = HttpResponse(content, headers=headers | own)
        self._count(request, response, began)
        return response

    def _learn(self, kind: Kind, response: HttpResponse) -> HttpResponse:
        if response.status_code == 200 and not response.cookies and len(self._headers) < MAX_KINDS:
            self._headers[kind] = {name: value for name, value in response.items() if name not in PER_LIST}
        return response

    def _count(self, request: HttpRequest, response: HttpResponse, began: float) -> None:
        """Count the request in the metrics of requests that reach a view."""
        request.resolver_match = _endpoint()
        self._metrics.process_request(request)
        request.prometheus_after_middleware_event = began  # type: ignore[attr-defined]
        self._metrics.process_view(request, None)
        self._metrics.process_response(request, response)


def _is_usual(request: HttpRequest) -> bool:
    sent = request.META
    length = str(sent.get("CONTENT_LENGTH", ""))
    return (
        request.path_info == PATH
        and request.method == "POST"
        and "HTTP_AUTHORIZATION" in sent
        and not sent.get("HTTP_COOKIE")
        and not sent.get("QUERY_STRING")
        and sent.get("CONTENT_TYPE") == "application/json"
        and sent.get("HTTP_ACCEPT", "*/*") in ACCEPTED
        and sent.get("HTTP_ACCEPT_LANGUAGE", "*") == "*"
        and length.isdecimal()
        and int(length) <= MAX_BODY
    )


def _answer(request: HttpRequest) -> RecommendationList | None:
    """Return the list, or None if the endpoint must answer, for instance because the key is not valid."""
    body = Body.read(request.body)
    try:
        found = _authentication.identify(request) if body else None
        if body is None or found is None or not RecommendView.may_take(*found, body.user_id):
            return None
        request.was_counted = True  # type: ignore[attr-defined] # the endpoint must not count it again
        profile = UserProfile.of_id(body.user_id)
    except (AuthenticationFailed, Error):
        return None
    return None if profile is None else RecommendView.recommend(profile, **asdict(body))
