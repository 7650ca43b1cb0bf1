"""Serializers of ratings, watchlists, imports, followed sources and accounts."""

from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.inputs import BodySerializer, QuerySerializer, RatingField, UsernameField
from catalog.errors import InvalidImport
from catalog.following.formats import SOURCES
from catalog.imports.formats import CHOICES
from catalog.imports.mapping import MEANINGS, checked
from catalog.imports.reading import QUESTIONS
from catalog.imports.report import files_of, questions_of
from catalog.models import (
    FollowedRow,
    FollowedSource,
    ImportRow,
    Movie,
    PendingSignUp,
    Rating,
    SourceSync,
    User,
    UserImport,
    WatchlistItem,
)
from catalog.models.api_key import ON_REQUEST
from catalog.safe_json import InvalidJSON, parse_json


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
    """The body of a PUT, whose URL identifies the movie."""

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
    columns = serializers.CharField(
        required=False,
        max_length=20_000,
        help_text=(
            "What columns of a CSV file mean, as a JSON object, which is remembered for files with the same header. "
            f"Meanings: {', '.join(MEANINGS)}."
        ),
    )

    def validate_columns(self, text: str) -> dict[str, str]:
        try:
            columns = parse_json(text)
            if not isinstance(columns, dict):
                raise InvalidJSON('expected an object such as {"Film": "title"}')
            return checked(columns)
        except (InvalidJSON, InvalidImport) as error:
            raise serializers.ValidationError(str(error)) from None


class ImportFileSerializer(serializers.Serializer):
    """How a file and its columns were interpreted. `left_out` counts rows that rate, watch or want no movie."""

    file = serializers.CharField()
    taken_for = serializers.CharField()
    rows = serializers.IntegerField()
    left_out = serializers.IntegerField()
    columns: Any = serializers.DictField(child=serializers.CharField())


class ImportQuestionSerializer(serializers.Serializer):
    """An open question about the file. Upload it again with one of the `answers` as the parameter `option`."""

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
    """The codes of pairs of a code and its params. The field named by `sentences` has the sentences."""

    def __init__(self, *, sentences: str) -> None:
        super().__init__(child=serializers.CharField(), help_text=f"Codes; `{sentences}` says them in words.")

    def to_representation(self, data: list[list[Any]]) -> list[str]:
        return [code for code, _ in data]


class CandidateSerializer(serializers.ModelSerializer):
    movie = serializers.IntegerField(source="pk")

    class Meta:
        model = Movie
        fields = ["movie", "title", "year"]
        read_only_fields = fields


class ImportRowSerializer(serializers.ModelSerializer):
    """A row of an upload. Select `movie`."""

    movie = serializers.IntegerField(source="movie_id", allow_null=True)
    noted_at = serializers.DateTimeField(source="recorded_at", allow_null=True)
    rating = RatingField(allow_null=True)
    movie_title = serializers.CharField(source="movie.title", default=None, allow_null=True)
    choice = serializers.CharField(help_text="`movie` or `none` if the user chose, otherwise empty.")
    candidates = CandidateSerializer(many=True, help_text="The best few movies for a row without one.")
    reasons = CodesField(sentences="reason")
    ignored = CodesField(sentences="note")

    class Meta:
        model = ImportRow
        fields = [
            "id",
            "file",
            "line",
            "kind",
            "title",
            "year",
            "rating",
            "noted_at",
            "watched_on",
            "is_rewatch",
            "list_name",
            "movie",
            "movie_title",
            "choice",
            "candidates",
            "reasons",
            "reason",
            "ignored",
            "note",
        ]
        read_only_fields = fields


class SignUpSerializer(BodySerializer):
    """The body of a sign-up. `invitation` is the code of a link from staff.

    `catalog.sign_ups` validates name and password.
    """

    id = serializers.SerializerMethodField(help_text="Null where the account is made once its address is confirmed.")
    username = UsernameField(UnicodeUsernameValidator.regex, trim_whitespace=False, max_length=150)
    email = serializers.EmailField(allow_blank=True, default="", max_length=254)
    password = serializers.CharField(write_only=True, trim_whitespace=False, min_length=8, max_length=128)
    invitation = serializers.CharField(write_only=True, default="", allow_blank=True, max_length=64)

    def get_id(self, made: User | PendingSignUp) -> int | None:
        return made.pk if isinstance(made, User) else None


class CredentialsSerializer(BodySerializer):
    username = serializers.CharField(trim_whitespace=False)
    password = serializers.CharField(trim_whitespace=False)
    scopes = serializers.ListField(child=serializers.ChoiceField(ON_REQUEST), required=False, min_length=1)


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField()


class SourceSyncSerializer(serializers.ModelSerializer):
    message = serializers.CharField(help_text="How it ended, as a sentence.")

    class Meta:
        model = SourceSync
        fields = ["status", "outcome", "message", "counts", "created_at", "ended_at"]
        read_only_fields = fields


class FollowedSourceSerializer(serializers.ModelSerializer):
    """A source from `sources_of`. `name` has no query of an address, because that may be a secret."""

    is_paused = serializers.SerializerMethodField()
    n_imported = serializers.IntegerField(help_text="Rows imported so far.")
    n_unmatched = serializers.IntegerField(help_text="Rows without a movie.")
    latest_sync = SourceSyncSerializer(allow_null=True)

    class Meta:
        model = FollowedSource
        fields = [
            *("id", "kind", "name", "with_existing", "is_paused", "n_failures", "n_imported", "n_unmatched"),
            *("created_at", "synced_at", "next_sync_at", "latest_sync"),
        ]
        read_only_fields = fields

    def get_is_paused(self, source: FollowedSource) -> bool:
        return source.paused_at is not None


class NewSourceSerializer(BodySerializer):
    """A new source. The last three fields say how to read a file at an address."""

    kind = serializers.ChoiceField(list(SOURCES))
    address = serializers.CharField(max_length=2000, help_text="A user name there, or an https address of a file.")
    with_existing = serializers.BooleanField(default=True, help_text="Whether to import what is there already.")
    format = serializers.ChoiceField(CHOICES, required=False, help_text="By default it is recognised.")
    rows = serializers.ChoiceField(list(QUESTIONS["rows"][1]), required=False, help_text="What undescribed rows mean.")
    dates = serializers.ChoiceField(list(QUESTIONS["dates"][1]), required=False, help_text="The order in 03/04/2026.")


class SourceChangeSerializer(BodySerializer):
    is_paused = serializers.BooleanField()


class UnmatchedRowSerializer(serializers.ModelSerializer):
    class Meta:
        model = FollowedRow
        fields = ["title", "year", "rating", "reason", "found_at"]
        read_only_fields = fields
