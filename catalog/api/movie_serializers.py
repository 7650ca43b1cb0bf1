"""Serializers of movies, and the parameters that filter a list of them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.inputs import MAX_ID, QuerySerializer
from catalog.api.services import WhereToWatchSerializer
from catalog.filters import LANGUAGE, ORDERINGS, RATINGS, YEARS, RowsField
from catalog.models import Movie, Picture, Rating, WikipediaArticle
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
    """Filters of a list of movies. `MovieFilter` looks up the genres, people and keywords."""

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
    """The opening paragraphs of a movie's Wikipedia article. Show them with their source and licence."""

    url = serializers.CharField(source="get_absolute_url", read_only=True)
    licence = serializers.CharField(source="LICENCE", read_only=True)

    class Meta:
        model = WikipediaArticle
        fields = ["language", "title", "text", "url", "licence"]
        read_only_fields = fields


class PictureSerializer(serializers.ModelSerializer):
    """A picture on Wikimedia Commons. Show it with its author, its licence and links to both pages."""

    width = serializers.IntegerField(read_only=True)
    height = serializers.IntegerField(read_only=True)

    class Meta:
        model = Picture
        fields = ["url", "width", "height", "author", "licence", "licence_url", "page_url"]
        read_only_fields = fields


class MovieSerializer(MovieSummarySerializer):
    """A movie with all details. Use `with_details()` to load it."""

    keywords: Any = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
    directors = PersonSerializer(many=True, read_only=True)
    cast = CastSerializer(many=True, read_only=True)
    poster = serializers.SerializerMethodField(help_text="Address of an image.")
    picture = serializers.SerializerMethodField(help_text="At Wikimedia Commons; null if none is known.")
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
            "picture",
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

    @extend_schema_field(PictureSerializer(allow_null=True))
    def get_picture(self, movie: Movie) -> dict[str, Any] | None:
        picture = getattr(movie, "picture", None)
        return PictureSerializer(picture).data if picture and picture.url else None

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
