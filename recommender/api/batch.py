"""Lists for up to MAX_LINES users in one request, as JSON Lines."""

from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import APIException, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.bulk import LINES, MEDIA_TYPE, FileParser, JSONLinesParser
from catalog.api.inputs import read
from catalog.errors import DomainError, UserNotFound
from catalog.safe_json import InvalidJSON, parse_json
from recommender.api.list_json import ListRenderer
from recommender.api.serializers import RecommendForUserSerializer
from recommender.api.views import ForUserView
from recommender.errors import InvalidRequest
from recommender.services import recommend_many
from recommender.serving.batch import Wanted
from recommender.serving.lists import RecommendationList

MAX_LINES = 1000
MAX_MOVIES = 20_000  # over all lines; bounds a request's memory and time


class JSONLinesRenderer(ListRenderer):
    """Renders one line per item."""

    media_type, format = MEDIA_TYPE, "ndjson"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return b"".join(super(JSONLinesRenderer, self).render(item) + b"\n" for item in data)


class FileRenderer(JSONLinesRenderer):
    """For clients that do not know a media type for JSON Lines."""

    media_type, format = FileParser.media_type, "bin"


class RecommendBatchView(ForUserView):
    parser_classes = [JSONLinesParser, FileParser]
    renderer_classes = [JSONLinesRenderer, FileRenderer]

    @extend_schema(
        operation_id="recommend_batch",
        request={parser.media_type: LINES for parser in parser_classes},
        responses={(200, renderer.media_type): LINES for renderer in renderer_classes},
        examples=[
            OpenApiExample("A line", '{"user_id": 1, "num_recommendations": 10}', media_type=FileParser.media_type)
        ],
    )
    def post(self, request: Request) -> Response:
        """Lists for up to 1,000 users with at most 20,000 movies in total. Only services may name other users. Each
        line of the request is a body of `POST recommend`. The response has one line per request line, in order: the
        response of that request, which is a list or an error."""
        body: Any = request.data or b""  # empty when there is no body
        lines = [line for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
        if not 1 <= len(lines) <= MAX_LINES:
            values = {"max": MAX_LINES, "n": len(lines)}
            raise InvalidRequest("lines", _("expected 1 to %(max)d lines, got %(n)d") % values)
        self._count(len(lines) - 1)  # the request has been counted as one
        answers = [self._wanted(line) for line in lines]
        n_movies = sum(one.k for one in answers if isinstance(one, Wanted))
        if n_movies > MAX_MOVIES:
            values = {"max": MAX_MOVIES, "n": n_movies}
            raise InvalidRequest("lines", _("expected lists with at most %(max)d movies in total, got %(n)d") % values)
        lists = recommend_many([one for one in answers if isinstance(one, Wanted)], surface="api:recommend")
        rest = iter(lists)
        return Response([self._answer(one, next(rest)) if isinstance(one, Wanted) else one for one in answers])

    def handle_exception(self, exc: Exception) -> Response:
        """Return an error that concerns the whole request as a single object, as in other endpoints."""
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)

    def get_throttles(self) -> list[Any]:
        """Return the same throttles throughout a request; see `_count`."""
        return self._throttles

    def _count(self, n: int) -> None:
        """Count `n` more requests, because each line counts as one. Raises Throttled."""
        for throttle in self._throttles:
            if not throttle.allow_more(n, self.request, self):
                self.throttled(self.request, throttle.wait())

    @cached_property
    def _throttles(self) -> list[Any]:
        return super().get_throttles()

    def _wanted(self, line: bytes) -> Wanted | Any:
        """Return the request in the line, or the error to return for it."""
        try:
            query = read(RecommendForUserSerializer, _parsed(line))
            self.check_right_to(query["user_id"])
        except (APIException, DomainError) as error:
            return self._error(error)
        return Wanted(query["user_id"], query["num_recommendations"], query["include_new_movies"])

    def _answer(self, wanted: Wanted, recommendations: RecommendationList | None) -> Any:
        if recommendations is None:
            return self._error(UserNotFound(_("User %(id)d does not exist.") % {"id": wanted.user_id}))
        return recommendations

    def _error(self, error: DomainError | APIException) -> Any:
        """Return the error in the API's error format."""
        return self.get_exception_handler()(error, self.get_exception_handler_context()).data


def _parsed(line: bytes) -> Any:
    try:
        return parse_json(line)
    except InvalidJSON as error:
        raise ParseError(_("The line is not valid JSON: %(error)s.") % {"error": error}) from None
