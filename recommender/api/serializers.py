from typing import Any

from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.inputs import ID, MAX_ID, BodySerializer, IdsField, QuerySerializer
from catalog.api.movie_serializers import MovieSummarySerializer
from catalog.bounds import FIRST_YEAR, LAST_YEAR
from catalog.filters import LANGUAGE
from catalog.models import Movie
from catalog.models.rating import MAX_SERVICES
from recommender.models import Feedback
from recommender.reasons import ReasonCode
from recommender.serving.filters import MAX_PEOPLE, MINE
from recommender.serving.request import MAX_COMPANIONS, MAX_K

MAX_RUNTIME = 1000  # minutes


class CountSerializer(QuerySerializer):
    k = serializers.IntegerField(min_value=1, max_value=MAX_K, default=10, help_text="Length of the list.")


def _number(low: int, high: int, help_text: str) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=low, max_value=high, help_text=help_text)


@extend_schema_field({"type": "string"})
class NamesField(serializers.Field):
    """Usernames separated by commas. Repeated names count once."""

    default_error_messages = {"invalid": serializers.CharField.default_error_messages["invalid"]}

    def to_internal_value(self, data: str) -> list[str]:
        ProhibitNullCharactersValidator()(data)  # PostgreSQL rejects queries that contain one
        names = list(dict.fromkeys(name for part in data.split(",") if (name := part.strip())))
        if len(names) > MAX_COMPANIONS:
            values = {"max": MAX_COMPANIONS, "n": len(names)}
            raise serializers.ValidationError(_("Expected at most %(max)d names, got %(n)d.") % values)
        return names


@extend_schema_field({"type": "string", "pattern": rf"^({MINE}|{ID}(,{ID}){{0,{MAX_SERVICES - 1}}})$"})
class ServicesField(IdsField):
    """Ids of streaming services separated by commas, or `mine` for the user's own."""

    most = MAX_SERVICES
    default_error_messages = {"invalid": gettext_lazy('Expected comma-separated service ids or "mine", got {value!r}.')}

    def to_internal_value(self, data: str) -> Any:
        return MINE if data.strip() == MINE else super().to_internal_value(data)


class RecommendationsQuerySerializer(CountSerializer):
    include_new = serializers.BooleanField(
        default=False, help_text="Blend in movies without a rating in the model's data."
    )
    genre = serializers.CharField(
        default=None, max_length=60, allow_blank=True, help_text="Only this genre, by name or slug."
    )
    year_min = _number(FIRST_YEAR, LAST_YEAR, "Released in this year or later.")
    year_max = _number(FIRST_YEAR, LAST_YEAR, "Released in this year or earlier.")
    runtime_min = _number(1, MAX_RUNTIME, "Runs at least as many minutes.")
    runtime_max = _number(1, MAX_RUNTIME, "Runs at most as many minutes.")
    language = serializers.RegexField(
        LANGUAGE,
        required=False,
        error_messages={"invalid": gettext_lazy("Enter an ISO 639-1 language code, such as en or vi.")},
        help_text="Only movies of this original language, a code of ISO 639-1.",
    )
    person = serializers.ListField(
        child=serializers.CharField(max_length=160, allow_blank=True),
        required=False,
        max_length=MAX_PEOPLE,
        help_text="Only movies with this person in cast or direction, by id or full name; repeat it for several.",
    )
    services = ServicesField(
        required=False,
        help_text="Only movies that one of these services streams in the site's region: ids, separated by commas, or "
        "`mine` for those that the user has.",
    )
    include_seen = serializers.BooleanField(default=False, help_text="Also movies that the user has rated or watched.")
    adventure = serializers.FloatField(
        default=0.0,
        min_value=-1,
        max_value=1,
        help_text="From -1, well-known movies of one kind, to 1, varied and little-known ones.",
    )
    exclude = IdsField(required=False, help_text="Ids of movies to exclude, separated by commas.")
    explain = serializers.BooleanField(default=False, help_text="Include the reasons for each movie.")

    def get_fields(self) -> dict[str, serializers.Field]:
        """Add `with`, which cannot be an attribute because it is a Python keyword."""
        help_text = "Usernames separated by commas: a list for them and the user together. They have to allow it."
        return super().get_fields() | {"with": NamesField(source="names", required=False, help_text=help_text)}

    def validate_genre(self, genre: str | None) -> str | None:
        return genre or None


class ForUserSerializer(BodySerializer):
    """A request for a user's list, which a service may make for any user."""

    user_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    num_recommendations = serializers.IntegerField(min_value=1, max_value=MAX_K, default=10)


class RecommendForUserSerializer(ForUserSerializer):
    include_new_movies = serializers.BooleanField(default=False)


class ReasonSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="movie for a movie that the user rated, otherwise the kind of feature.")
    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    contribution = serializers.FloatField(
        help_text="How much the score would fall without it, for a user otherwise alike."
    )


class MainReasonSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(
        choices=ReasonCode.values, help_text="`ratings` if no single movie of the user is a plausible reason."
    )
    sentence = serializers.CharField(help_text="The reason in the language of the request.")
    movie_id = serializers.IntegerField(allow_null=True, help_text="The movie of the user that it names.")
    name = serializers.CharField(help_text="That movie's title, or the name of the feature.")
    contribution = serializers.FloatField(
        allow_null=True, help_text="How much the score would fall without it, all else being equal."
    )


class RecommendationSerializer(serializers.Serializer[Any]):
    movie = MovieSummarySerializer()
    score = serializers.FloatField()
    rank = serializers.IntegerField()
    source = serializers.ChoiceField(  # type: ignore[assignment] # a field named like an attribute of REST framework's
        choices=["personal", "new", "similar", "popular", "newest"]
    )
    reason = MainReasonSerializer(
        allow_null=True, help_text="Null if no model knows the user's taste, and together with others."
    )
    reasons = ReasonSerializer(many=True, help_text="With `explain=true`, what the score falls by most.")


class RecommendationListSerializer(serializers.Serializer[Any]):
    """Describes the JSON that `list_json` writes."""

    results = RecommendationSerializer(many=True)
    model_version = serializers.IntegerField(allow_null=True, help_text="Null if the list was made without a model.")
    fallback = serializers.ChoiceField(
        choices=["previous", "popular", "newest"],
        allow_null=True,
        help_text="The fallback that made the list; null if the served model did.",
    )
    request_id = serializers.UUIDField(help_text="To be sent with feedback on this list.")


class FeedbackSerializer(BodySerializer):
    kind = serializers.ChoiceField(choices=Feedback.Kind.choices)
    movie = serializers.PrimaryKeyRelatedField(
        queryset=Movie.objects.all(), pk_field=serializers.IntegerField(min_value=1, max_value=MAX_ID)
    )
    request_id = serializers.UUIDField(default=None, allow_null=True, help_text="The list that the feedback is about.")
