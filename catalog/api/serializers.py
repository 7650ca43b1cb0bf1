"""JSON representation of movies, ratings, imports and accounts."""

from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.inputs import MAX_ID, BodySerializer, QuerySerializer, RatingField, UsernameField
from catalog.api.services import WhereToWatchSerializer
from catalog.filters import LANGUAGE, ORDERINGS, RATINGS, YEARS, RowsField
from catalog.imports.formats import CHOICES
from catalog.imports.reading import QUESTIONS
from catalog.imports.report import files_of, questions_of
from catalog.models import ImportRow, Movie, Rating, UserImport, WatchlistItem, WikipediaArticle
from catalog.models.api_key import ON_REQUEST
from catalog.templatetags.movies import poster_url
from catalog.where_to_watch import where_to_watch


class MovieSummarySerializer(serializers.ModelSerializer):
    """A movie in a list. Prefetch `genres`."""

    genres: Any = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
    mean_rating = serializers.SerializerMethodField()
    url = serializers.CharField(source="get_absolute_url", read_only=True, help_text="The movie's page on this site.")

    class Meta:
        model = Movie
        fields = ["id", "title", "year", "genres", "mean_rating", "rating_count", "url"]
        read_only_fields = fields

    def get_mean_rating(self, movie: Movie) -> float | None:
        return None if movie.mean_rating is None else round(movie.mean_rating, 2)


class MovieQuerySerializer(QuerySerializer):
    """What a list of movies can be filtered by; `MovieFilter` looks up the rows that are named."""

    q = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Title in any language, accents and a wrong letter do not matter; or a person's or genre's name.",
    )
    genre = serializers.CharField(required=False, allow_blank=True, help_text="By name or slug.")
    year_min = serializers.IntegerField(required=False, **YEARS)
    year_max = serializers.IntegerField(required=False, **YEARS)
    language = serializers.RegexField(LANGUAGE, required=False, help_text="Of the original, as in ISO 639-1.")
    rating_min = serializers.FloatField(required=False, **RATINGS)
    person = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        required=False,
        max_length=RowsField.most,
        help_text="Ids; all of them have a part in the movie.",
    )
    keyword = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False),
        required=False,
        max_length=RowsField.most,
        help_text="Names; the movie has all of them.",
    )
    hide_seen = serializers.ChoiceField(
        ["true", "false"], required=False, help_text="Leaves out what the signed-in user has rated or watched."
    )
    ordering = serializers.ChoiceField(
        list(ORDERINGS), required=False, help_text="`relevance` unless given; without `q` it is `popular`."
    )


class PersonSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="person_id")
    name = serializers.CharField(source="person.name")


class CastSerializer(PersonSerializer):
    character = serializers.CharField()


class ArticleSerializer(serializers.ModelSerializer):
    """The beginning of a movie's article; whoever shows it names its source and licence."""

    url = serializers.CharField(source="get_absolute_url", read_only=True)
    licence = serializers.CharField(source="LICENCE", read_only=True)

    class Meta:
        model = WikipediaArticle
        fields = ["language", "title", "text", "url", "licence"]
        read_only_fields = fields


class MovieSerializer(MovieSummarySerializer):
    """A movie with all details. Prefetch `genres`, `keywords` and `credits` with people, and annotate `article`."""

    keywords: Any = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
    directors = PersonSerializer(many=True, read_only=True)
    cast = CastSerializer(many=True, read_only=True)
    poster = serializers.SerializerMethodField(help_text="Address of an image.")
    where_to_watch = serializers.SerializerMethodField(help_text="In the site's region; null if nothing is known.")
    wikipedia = serializers.SerializerMethodField(help_text="In the asked language if there is one, else in another.")
    my_rating = serializers.SerializerMethodField(help_text="The asking user's own rating.")

    class Meta(MovieSummarySerializer.Meta):
        fields = [
            *MovieSummarySerializer.Meta.fields,
            "original_title",
            "release_date",
            "overview",
            "wikipedia",
            "language",
            "runtime_minutes",
            "is_adult",
            "keywords",
            "directors",
            "cast",
            "poster",
            "where_to_watch",
            "movielens_id",
            "tmdb_id",
            "imdb_id",
            "source",
            "my_rating",
        ]
        read_only_fields = fields

    def get_poster(self, movie: Movie) -> str:
        return poster_url(movie)

    @extend_schema_field(WhereToWatchSerializer(allow_null=True))
    def get_where_to_watch(self, movie: Movie) -> dict[str, Any] | None:
        found = where_to_watch(movie)
        return WhereToWatchSerializer(found).data if found else None

    @extend_schema_field(ArticleSerializer(allow_null=True))
    def get_wikipedia(self, movie: Movie) -> dict[str, Any] | None:
        article = WikipediaArticle.objects.of(getattr(movie, "article", None))
        return ArticleSerializer(article).data if article else None

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_my_rating(self, movie: Movie) -> float | None:
        user = self.context["request"].user
        if not user.is_authenticated:
            return None
        return Rating.objects.filter(user=user, movie=movie).values_list("rating", flat=True).first()


class RatingSerializer(serializers.ModelSerializer):
    """A rating in responses. Select `movie`."""

    movie = serializers.IntegerField(source="movie_id")
    title = serializers.CharField(source="movie.title")
    rating = RatingField()

    class Meta:
        model = Rating
        fields = ["movie", "title", "rating", "rated_at"]
        read_only_fields = fields


class RatingInputSerializer(BodySerializer):
    """The body of a PUT, whose address names the movie."""

    rating = RatingField()


class NewRatingSerializer(RatingInputSerializer):
    movie = serializers.IntegerField(min_value=1)


class WatchlistItemSerializer(serializers.ModelSerializer):
    """A movie on the watchlist. Select `movie`."""

    movie = serializers.IntegerField(source="movie_id")
    title = serializers.CharField(source="movie.title")

    class Meta:
        model = WatchlistItem
        fields = ["movie", "title", "added_at"]
        read_only_fields = fields


class UploadSerializer(QuerySerializer):
    format = serializers.ChoiceField(CHOICES)
    file = serializers.FileField(allow_empty_file=True)
    dates = serializers.ChoiceField(
        list(QUESTIONS["dates"][1].items()), required=False, help_text="If no date of the file says it."
    )
    rows = serializers.ChoiceField(
        list(QUESTIONS["rows"][1].items()), required=False, help_text="If no column of the file says it."
    )


class ImportFileSerializer(serializers.Serializer):
    """What a file and its columns were taken for. `left_out`: rows that are about no movie watched, rated or wanted."""

    file = serializers.CharField()
    taken_for = serializers.CharField()
    rows = serializers.IntegerField()
    left_out = serializers.IntegerField()
    columns: Any = serializers.DictField(child=serializers.CharField())


class ImportQuestionSerializer(serializers.Serializer):
    """What the file leaves open. Send it again with one of the `answers` as `option`."""

    option = serializers.CharField()
    about = serializers.CharField()
    question = serializers.CharField()
    answers: Any = serializers.DictField(child=serializers.CharField())


class UserImportSerializer(serializers.ModelSerializer):
    """The state of an upload. `counts` is filled once it is `ready`."""

    status = serializers.ChoiceField(UserImport.State.choices, source="state", read_only=True)
    format = serializers.ChoiceField(CHOICES, read_only=True)
    n_entries = serializers.IntegerField(source="n_rows", read_only=True)
    ended_at = serializers.DateTimeField(source="closed_at", allow_null=True, read_only=True)
    counts: Any = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    files = serializers.SerializerMethodField()
    questions = serializers.SerializerMethodField()

    class Meta:
        model = UserImport
        fields = [
            "id",
            "format",
            "name",
            "status",
            "n_entries",
            "n_read",
            "counts",
            "files",
            "questions",
            "created_at",
            "ended_at",
        ]
        read_only_fields = fields

    @extend_schema_field(ImportFileSerializer(many=True))
    def get_files(self, user_import: UserImport) -> list[dict[str, Any]]:
        return files_of(user_import)

    @extend_schema_field(ImportQuestionSerializer(many=True))
    def get_questions(self, user_import: UserImport) -> list[dict[str, Any]]:
        return questions_of(user_import)


class ImportRowQuerySerializer(QuerySerializer):
    matched = serializers.BooleanField(required=False, help_text="Only rows with, or without, a movie.")


class CodesField(serializers.ListField):
    """The codes of pairs of code and params; their sentences are in the field that `sentences` names."""

    def __init__(self, *, sentences: str) -> None:
        super().__init__(child=serializers.CharField(), help_text=f"Codes; `{sentences}` says them in words.")

    def to_representation(self, data: list[list[Any]]) -> list[str]:
        return [code for code, _ in data]


class ImportRowSerializer(serializers.ModelSerializer):
    """A row of an upload. Select `movie`."""

    movie = serializers.IntegerField(source="movie_id", allow_null=True)
    noted_at = serializers.DateTimeField(source="recorded_at", allow_null=True)
    rating = RatingField(allow_null=True)
    movie_title = serializers.CharField(source="movie.title", default=None, allow_null=True)
    reasons = CodesField(sentences="reason")
    ignored = CodesField(sentences="note")

    class Meta:
        model = ImportRow
        fields = [
            "file",
            "line",
            "kind",
            "title",
            "year",
            "rating",
            "noted_at",
            "watched_on",
            "is_rewatch",
            "movie",
            "movie_title",
            "reasons",
            "reason",
            "ignored",
            "note",
        ]
        read_only_fields = fields


class SignUpSerializer(BodySerializer):
    """The body of a sign-up, `invitation` the code of staff's link; `accounts.sign_up` validates name and password."""

    id = serializers.IntegerField(read_only=True)
    username = UsernameField(UnicodeUsernameValidator.regex, trim_whitespace=False, max_length=150)
    email = serializers.EmailField(allow_blank=True, default="", max_length=254)
    password = serializers.CharField(write_only=True, trim_whitespace=False, min_length=8, max_length=128)
    invitation = serializers.CharField(write_only=True, default="", allow_blank=True, max_length=64)


class CredentialsSerializer(BodySerializer):
    username = serializers.CharField(trim_whitespace=False)
    password = serializers.CharField(trim_whitespace=False)
    scopes = serializers.ListField(child=serializers.ChoiceField(ON_REQUEST), required=False, min_length=1)


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField()
