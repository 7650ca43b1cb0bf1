from collections.abc import Callable
from typing import Any, cast

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.inputs import BodySerializer, QuerySerializer, read
from catalog.errors import UserNotFound
from catalog.models import Movie, User
from catalog.throttling import ScopedThrottle
from recommender.api.serializers import (
    CountSerializer,
    FeedbackSerializer,
    ForUserSerializer,
    RecommendationListSerializer,
    RecommendationsQuerySerializer,
    RecommendForUserSerializer,
)
from recommender.services import recommend, recommend_new, record_feedback, similar
from recommender.serving.lists import NO_MODEL, RecommendationList
from recommender.serving.together import companions_of

LIST_AS_JSON = RecommendationListSerializer()  # shared: building its fields takes longer than using them
VERSION_HEADER = OpenApiParameter(
    "X-Model-Version", str, OpenApiParameter.HEADER, response=True, description=f"The model version, or {NO_MODEL}."
)


def list_schema(
    operation_id: str, *, query: type[QuerySerializer] | None = None, body: type[BodySerializer] | None = None
) -> Callable[..., Any]:
    """The OpenAPI description of an endpoint that answers with a list."""
    parameters: list[Any] = [query, VERSION_HEADER] if query else [VERSION_HEADER]
    responses = {200: RecommendationListSerializer, 404: None}
    return extend_schema(operation_id=operation_id, parameters=parameters, request=body, responses=responses)


class MayRecommendForOthers(BasePermission):
    message = _("Recommendations for other users require the permission recommender.recommend_for_others.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.is_authenticated and request.user.has_perm("recommender.recommend_for_others"))


class ListView(APIView):
    @property
    def me(self) -> User:
        return cast(User, self.request.user)

    def respond(self, recommendations: RecommendationList) -> Response:
        headers = {"X-Model-Version": recommendations.version_label}
        return Response(LIST_AS_JSON.to_representation(recommendations), headers=headers)


class RecommendationsView(ListView):
    @list_schema("recommendations_list", query=RecommendationsQuerySerializer)
    def get(self, request: Request) -> Response:
        """Movies for the signed-in user, from their current ratings, or together with others, from theirs too."""
        query = read(RecommendationsQuerySerializer, request.query_params)
        names = query.pop("names", [])
        companions = companions_of(self.me, names)
        # Online metrics judge the model by lists whose movies it chose freely.
        narrowed = any(value for name, value in query.items() if name not in ("k", "include_new", "explain"))
        surface = "api:together" if names else "api:narrowed" if narrowed else "api:recommendations"
        return self.respond(recommend(user=self.me, surface=surface, companions=companions, **query))


class NewRecommendationsView(ListView):
    @list_schema("recommendations_new_list", query=CountSerializer)
    def get(self, request: Request) -> Response:
        """Movies that are new to the model, for the signed-in user's taste."""
        query = read(CountSerializer, request.query_params)
        return self.respond(recommend_new(user=self.me, surface="api:recommendations/new", **query))


class SimilarMoviesView(ListView):
    permission_classes = [AllowAny]

    @list_schema("movies_similar_list", query=CountSerializer)
    def get(self, request: Request, movie_id: int) -> Response:
        """Movies like this one that the signed-in user has not seen or dismissed."""
        movie = get_object_or_404(Movie, pk=movie_id)
        query = read(CountSerializer, request.query_params)
        return self.respond(similar(movie=movie, user=self.me, surface="api:similar", **query))


class ForOthersView(ListView):
    """For services, which have a rate limit of their own, higher than that of users."""

    permission_classes = [IsAuthenticated, MayRecommendForOthers]
    throttle_classes = [ScopedThrottle]
    throttle_scope = "service"

    def user(self, user_id: int) -> User:
        user = User.objects.filter(pk=user_id).first()
        if user is None:
            raise UserNotFound(_("There is no user %(id)d.") % {"id": user_id})
        return user


class RecommendView(ForOthersView):
    @list_schema("recommend", body=RecommendForUserSerializer)
    def post(self, request: Request) -> Response:
        """Movies for any user."""
        query = read(RecommendForUserSerializer, request.data)
        recommendations = recommend(
            user=self.user(query["user_id"]),
            k=query["num_recommendations"],
            include_new=query["include_new_movies"],
            surface="api:recommend",
        )
        return self.respond(recommendations)


class RecommendNewMoviesView(ForOthersView):
    @list_schema("recommend_new_movies", body=ForUserSerializer)
    def post(self, request: Request) -> Response:
        """Movies that are new to the model, for any user's taste."""
        query = read(ForUserSerializer, request.data)
        user = self.user(query["user_id"])
        return self.respond(recommend_new(user=user, k=query["num_recommendations"], surface="api:recommend_new"))


class FeedbackView(ListView):
    @extend_schema(
        operation_id="feedback_create", request=FeedbackSerializer, responses={201: FeedbackSerializer, 404: None}
    )
    def post(self, request: Request) -> Response:
        """Feedback on a recommended movie: `not_interested` removes it from the user's lists, `undo` reverts that."""
        given = read(FeedbackSerializer, request.data)
        feedback = record_feedback(user=self.me, **given)
        return Response(FeedbackSerializer(feedback).data, status=status.HTTP_201_CREATED)
