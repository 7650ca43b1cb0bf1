from collections.abc import Callable
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast

from django.contrib.auth.models import Group, Permission
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _
from drf_spectacular.drainage import set_override
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.authentication import KeyAuthentication, of_hash
from catalog.api.inputs import BodySerializer, QuerySerializer, read
from catalog.api.scopes import OWN, PUBLIC, Scopes, require_scope
from catalog.errors import UserNotFound
from catalog.models import APIKey, Scope, User
from catalog.prepared import PreparedQuery, Row
from catalog.throttling import ExactThrottle, ScopedThrottle, UserThrottle
from recommender.api.list_json import ListRenderer
from recommender.api.serializers import (
    CountSerializer,
    FeedbackSerializer,
    ForUserSerializer,
    RecommendationListSerializer,
    RecommendationsQuerySerializer,
    RecommendForUserSerializer,
)
from recommender.services import recommend, recommend_new, record_feedback, similar
from recommender.serving.filters import services_of
from recommender.serving.lists import NO_MODEL, RecommendationList
from recommender.serving.movies import listed_movies
from recommender.serving.profile import UserProfile
from recommender.serving.together import companions_of

VERSION_HEADER = OpenApiParameter(
    "X-Model-Version", str, OpenApiParameter.HEADER, response=True, description=f"The model version, or {NO_MODEL}."
)


def list_schema(
    operation_id: str, *, query: type[QuerySerializer] | None = None, body: type[BodySerializer] | None = None
) -> Callable[..., Any]:
    """Return the OpenAPI description of an endpoint that returns a list."""
    parameters: list[Any] = [query, VERSION_HEADER] if query else [VERSION_HEADER]
    responses = {200: RecommendationListSerializer, 404: None}
    return extend_schema(operation_id=operation_id, parameters=parameters, request=body, responses=responses)


def _permitted(user: Any) -> Any:
    """Return a query expression for whether the user with that id, or one of their groups, has the permission."""
    permission = Permission.objects.filter(
        content_type__app_label="recommender", codename="recommend_for_others"
    ).values("pk")
    own = User.user_permissions.through.objects.filter(user_id=user, permission__in=permission)
    return Exists(own) | Exists(Group.objects.filter(user=user, permissions__in=permission))


def _service_of_hash(hashed: str) -> Any:
    return of_hash(hashed).annotate(is_permitted=_permitted(OuterRef("user_id")))


class ServiceKeyAuthentication(KeyAuthentication):
    """Authenticates a key and reads its user's permission in one query, so that changes apply immediately."""

    query = PreparedQuery(_service_of_hash, example="of a key")

    def user_of(self, row: Row) -> User:
        user = super().user_of(row)
        user.is_permitted = bool(row[-1])  # type: ignore[attr-defined]
        return user


def is_service(user: Any) -> bool:
    """Return whether the user may request others' lists. Read on each request, so that revoking applies immediately."""
    if user.is_superuser:
        return True
    if not hasattr(user, "is_permitted"):  # not authenticated by a key
        user.is_permitted = User.objects.filter(_permitted(user.pk), pk=user.pk).exists()
    return bool(user.is_permitted)


def throttle_of(user: User) -> ExactThrottle:
    """Return the rate limit of views that return a user's own lists and, to services, any user's."""
    return ScopedThrottle() if is_service(user) else UserThrottle()


set_override(ServiceKeyAuthentication, "suppress_collision_warning", True)  # documented like any other key


class ListView(APIView):
    renderer_classes = [ListRenderer]

    @property
    def me(self) -> User:
        return cast(User, self.request.user)

    def respond(self, recommendations: RecommendationList) -> Response:
        headers = {"X-Model-Version": recommendations.version_label}
        return Response(recommendations, headers=headers)


class RecommendationsView(ListView):
    scopes = OWN

    @list_schema("recommendations_list", query=RecommendationsQuerySerializer)
    def get(self, request: Request) -> Response:
        """Movies for the signed-in user from their current ratings, or for them and others from everyone's ratings."""
        query = read(RecommendationsQuerySerializer, request.query_params)
        names = query.pop("names", [])
        companions = companions_of(self.me, names)
        # Online metrics count only lists without filters, for which the model's choice was not restricted.
        narrowed = any(value for name, value in query.items() if name not in ("k", "include_new", "explain"))
        if "services" in query:
            query["services"] = services_of(self.me, query["services"])
        surface = "api:together" if names else "api:narrowed" if narrowed else "api:recommendations"
        return self.respond(recommend(user=self.me, surface=surface, companions=companions, **query))


class NewRecommendationsView(ListView):
    scopes = OWN

    @list_schema("recommendations_new_list", query=CountSerializer)
    def get(self, request: Request) -> Response:
        """Movies that are new to the model, ranked by the signed-in user's taste."""
        query = read(CountSerializer, request.query_params)
        return self.respond(recommend_new(user=self.me, surface="api:recommendations/new", **query))


class SimilarMoviesView(ListView):
    permission_classes = [AllowAny]
    scopes = PUBLIC

    @list_schema("movies_similar_list", query=CountSerializer)
    def get(self, request: Request, movie_id: int) -> Response:
        """Similar movies that the signed-in user has not seen or dismissed."""
        movie = listed_movies.get([movie_id]).get(movie_id)
        if movie is None:
            raise NotFound
        query = read(CountSerializer, request.query_params)
        return self.respond(similar(movie=movie, user=self.me, surface="api:similar", **query))


class ForUserView(ListView):
    """Base of views that return a user's own lists and, to services, any user's. Services have a higher rate limit."""

    authentication_classes = [ServiceKeyAuthentication, SessionAuthentication]
    scopes = Scopes((Scope.READ, Scope.SERVICE), (Scope.READ, Scope.SERVICE))
    throttle_scope = "service"

    @cached_property
    def is_service(self) -> bool:
        return is_service(self.me)

    def get_throttles(self) -> list[Any]:
        return [] if hasattr(self.request._request, "was_counted") else [throttle_of(self.me)]

    def check_right_to(self, user_id: int) -> None:
        """Raise PermissionDenied or MissingScope if the caller may not see this user's lists.

        The error does not depend on whether the user exists.
        """
        if user_id == self.me.pk:
            return
        if not self.is_service:
            raise PermissionDenied(
                _("Recommendations for other users require the permission recommender.recommend_for_others.")
            )
        if isinstance(self.request.auth, APIKey):
            require_scope(self.request.auth, Scope.SERVICE)

    def profile(self, user_id: int) -> UserProfile:
        self.check_right_to(user_id)
        profile = UserProfile.of_id(user_id)
        if profile is None:
            raise UserNotFound(_("User %(id)d does not exist.") % {"id": user_id})
        return profile


class RecommendView(ForUserView):
    """The endpoint, with the parts that `movierec.direct` uses to answer most of its requests."""

    @list_schema("recommend", body=RecommendForUserSerializer)
    def post(self, request: Request) -> Response:
        """Movies for the caller. A service may request them for any user."""
        query = read(RecommendForUserSerializer, request.data)
        return self.respond(self.recommend(self.profile(query["user_id"]), **query))

    @staticmethod
    def recommend(
        profile: UserProfile, *, user_id: int, num_recommendations: int, include_new_movies: bool
    ) -> RecommendationList:
        return recommend(
            user=None,
            profile=profile,
            k=num_recommendations,
            include_new=include_new_movies,
            surface="api:recommend",
        )

    @classmethod
    def may_take(cls, user: User, key: APIKey, user_id: int) -> bool:
        """Return whether the caller may see this user's lists and is within the rate limit. Counts the request if so.

        A refused request is not counted or, at the limit, exceeds it; the endpoint then answers with the error."""
        needed = {*cls.scopes.writing} if user_id == user.pk else {Scope.SERVICE}
        if needed.isdisjoint(key.scope_list) or not (user_id == user.pk or is_service(user)):
            return False
        caller: Any = SimpleNamespace(user=user, auth=key)
        return throttle_of(user).allow_request(caller, cls)


class RecommendNewMoviesView(ForUserView):
    @list_schema("recommend_new_movies", body=ForUserSerializer)
    def post(self, request: Request) -> Response:
        """Movies that are new to the model, ranked by the caller's taste. A service may request them for any user."""
        query = read(ForUserSerializer, request.data)
        profile, k = self.profile(query["user_id"]), query["num_recommendations"]
        return self.respond(recommend_new(user=None, profile=profile, k=k, surface="api:recommend_new"))


class FeedbackView(ListView):
    scopes = OWN

    @extend_schema(
        operation_id="feedback_create", request=FeedbackSerializer, responses={201: FeedbackSerializer, 404: None}
    )
    def post(self, request: Request) -> Response:
        """Feedback on a recommended movie. `not_interested` removes it from the user's lists, `undo` reverts this."""
        given = read(FeedbackSerializer, request.data)
        feedback = record_feedback(user=self.me, **given)
        return Response(FeedbackSerializer(feedback).data, status=status.HTTP_201_CREATED)
