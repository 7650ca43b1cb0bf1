"""Schemas of TMDB's responses. A response that does not match is rejected with a reason.

Types are strict (a quoted number is not a number), and strings are limited to the length of their columns. Invalid
details are dropped. A record without an id or a visible title is rejected.
"""

import re
import unicodedata
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import (
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)

from catalog.bounds import FIRST_YEAR, LARGEST_ID, LAST_YEAR
from catalog.errors import AnswerRejected

REASONS_SHOWN = 3
PREMIERE = 1  # TMDB's type for a release at a festival
# Fields without which a record or page is rejected.
ESSENTIAL = ("id", "title", "name", "results", "total_pages", "provider_id", "provider_name")
_IMDB_ID = re.compile(r"\s*(?:https?://\S*/)?(tt\d{7,12})/?\s*")

DocumentT = TypeVar("DocumentT", bound=BaseModel)


def _date(value: Any) -> Any:
    """Parses a date. TMDB writes missing dates as empty strings."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("expected a date as text")
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"expected a date like 1999-12-31, got {value[:40]!r}") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}, got {found.year}")
    return found


def _day(value: Any) -> Any:
    """Parses the date of a timestamp like 1999-10-15T00:00:00.000Z."""
    return _date(value[:10]) if isinstance(value, str) else _date(value)


def _cut(value: Any) -> Any:
    return value[:200] if isinstance(value, str) else value


def _visible(value: Any) -> Any:
    """Returns "" for text that consists only of spaces, direction marks and other invisible characters."""
    if isinstance(value, str) and all(unicodedata.category(character)[0] in "CZ" for character in value):
        return ""
    return value


def _imdb_id(value: Any) -> Any:
    """Extracts an id from a URL, or from text with surrounding spaces or a trailing slash."""
    found = _IMDB_ID.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else value


def _each(values: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Keeps the valid entries of a list. Records the others as ignored."""
    if values is not None and not isinstance(values, list):
        return validate(values)  # the error message says that a list is expected
    found: list[Any] = []
    for number, value in enumerate(values or []):
        try:
            found += validate([value])
        except ValidationError as error:
            _ignore(info, error, number)
    return found


def _ignore(info: ValidationInfo, error: ValidationError, *place: int) -> None:
    if info.context is not None:
        first = error.errors(include_url=False, include_input=False)[0]
        where = [info.field_name, *place, *first["loc"][len(place) :]]
        info.context["ignored"].append(f"{'.'.join(map(str, where))}: {first['msg']}")


_EmptyAsNone = BeforeValidator(lambda value: None if value in ("", 0) else value)
_NoneAsEmptyText = BeforeValidator(lambda value: "" if value is None else value)


def Text(longest: int, *, shortest: int = 0) -> Any:  # noqa: N802 (reads as the type it makes)
    bounds = StringConstraints(strip_whitespace=True, min_length=shortest, max_length=longest)
    seen = BeforeValidator(_visible)
    return Annotated[str, bounds, seen] if shortest else Annotated[str, _NoneAsEmptyText, bounds, seen]


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
ImdbId = Annotated[
    Annotated[str, StringConstraints(pattern=r"^tt\d{7,12}$"), BeforeValidator(_imdb_id)] | None, _EmptyAsNone
]


class _Document(BaseModel):
    """Base class of the schemas. An invalid field gets its default, unless it is in ESSENTIAL."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    @field_validator("*", mode="wrap")
    @classmethod
    def _costs_itself(cls, value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return validate(value)
        except ValidationError as error:
            if info.field_name in ESSENTIAL:
                raise
            if value is not None:
                _ignore(info, error)
            return cls.model_fields[str(info.field_name)].get_default(call_default_factory=True)


class KeywordName(_Document):
    id: Id
    name: Text(120)  # type: ignore[valid-type]


class GenreName(_Document):
    id: Id
    name: Text(60, shortest=1)  # type: ignore[valid-type]


class CastMember(_Document):
    id: Id
    name: Text(160, shortest=1)  # type: ignore[valid-type]
    character: Annotated[str, _NoneAsEmptyText, BeforeValidator(_cut)] = ""
    order: int = Field(default=0, ge=0)


class CrewMember(_Document):
    id: Id
    name: Text(160, shortest=1)  # type: ignore[valid-type]
    job: Text(120)  # type: ignore[valid-type]


class Credits(_Document):
    cast: Annotated[list[CastMember], WrapValidator(_each)] = []
    crew: Annotated[list[CrewMember], WrapValidator(_each)] = []


class OtherTitle(_Document):
    title: Text(300, shortest=1)  # type: ignore[valid-type]


class LocalRelease(_Document):
    release_date: Annotated[date | None, BeforeValidator(_day)] = None
    type: int = 0


class CountryReleases(_Document):
    release_dates: Annotated[list[LocalRelease], WrapValidator(_each)] = []


class ListedService(_Document):
    """A service in `/movie/{id}/watch/providers`."""

    provider_id: Id
    provider_name: Text(100, shortest=1)  # type: ignore[valid-type]
    display_priority: int = Field(default=0, ge=0, le=LARGEST_ID)


ListedServices = Annotated[list[ListedService], WrapValidator(_each)]


class RegionalServices(_Document):
    flatrate: ListedServices = []
    free: ListedServices = []
    ads: ListedServices = []
    rent: ListedServices = []
    buy: ListedServices = []


def _of_region(regions: Any, info: ValidationInfo) -> Any:
    """Selects the services of the requested region from more than a hundred."""
    return (
        regions.get(info.context["region"], {}) if isinstance(regions, dict) and info.context is not None else regions
    )


class MovieDocument(_Document):
    """`/movie/{id}` with everything appended to it. Attributes have the names listed in `ingest/fields`."""

    id: Id
    title: Text(300, shortest=1)  # type: ignore[valid-type]
    original_title: Text(300) = ""  # type: ignore[valid-type]
    language: Text(8) = Field(default="", validation_alias="original_language")  # type: ignore[valid-type]
    is_adult: bool = Field(default=False, validation_alias="adult")
    overview: Text(20_000) = ""  # type: ignore[valid-type]
    main_release_date: Annotated[date | None, BeforeValidator(_date)] = Field(
        default=None, validation_alias="release_date"
    )
    status: Text(40) = ""  # type: ignore[valid-type]
    runtime_minutes: Annotated[Annotated[int, Field(ge=1, le=32_767)] | None, _EmptyAsNone] = Field(
        default=None, validation_alias="runtime"
    )
    poster_path: Annotated[
        str, _NoneAsEmptyText, StringConstraints(max_length=120, pattern=r"^(/[\w-]+\.(jpg|png|svg))?$")
    ] = ""
    own_imdb_id: ImdbId = Field(default=None, validation_alias="imdb_id")
    genres: Annotated[list[GenreName], WrapValidator(_each)] = []
    keywords: Annotated[list[KeywordName], WrapValidator(_each)] = Field(
        default=[], validation_alias=AliasPath("keywords", "keywords")
    )
    credits: Credits = Credits()
    external_imdb_id: ImdbId = Field(default=None, validation_alias=AliasPath("external_ids", "imdb_id"))
    alternative_titles: Annotated[list[OtherTitle], WrapValidator(_each)] = Field(
        default=[], validation_alias=AliasPath("alternative_titles", "titles")
    )
    releases: Annotated[list[CountryReleases], WrapValidator(_each)] = Field(
        default=[], validation_alias=AliasPath("release_dates", "results")
    )
    services: Annotated[RegionalServices, BeforeValidator(_of_region)] = Field(
        default=RegionalServices(), validation_alias=AliasPath("watch/providers", "results")
    )
    _ignored: list[str] = PrivateAttr(default_factory=list)

    @property
    def ignored(self) -> list[str]:
        """Returns the ignored details, with reasons."""
        two = f"two IMDb ids, {self.own_imdb_id} and {self.external_imdb_id}"
        contradicts = self.own_imdb_id and self.external_imdb_id and self.imdb_id is None
        return [*self._ignored, *([two] if contradicts else [])]

    @property
    def tmdb_id(self) -> int:
        return self.id

    @property
    def imdb_id(self) -> str | None:
        """Returns the IMDb id, or None if TMDB has two different ones."""
        ids = {self.own_imdb_id, self.external_imdb_id} - {None}
        return ids.pop() if len(ids) == 1 else None

    @property
    def release_date(self) -> date | None:
        """Returns the first public release. A festival premiere counts only if no other release is known."""
        if self.main_release_date:
            return self.main_release_date
        local = [release for country in self.releases for release in country.release_dates]
        days = [(release.type == PREMIERE, release.release_date) for release in local if release.release_date]
        return min(days)[1] if days else None

    @property
    def year(self) -> int | None:
        return self.release_date.year if self.release_date else None

    def is_unreleased(self, today: date) -> bool:
        day = self.release_date
        return day > today if day else self.status not in ("", "Released")


class ListedMovie(_Document):
    id: Id


class MoviePage(_Document):
    """A page of `/discover/movie` or `/movie/changes`."""

    results: list[ListedMovie] = Field(max_length=1000)
    total_pages: int = Field(ge=0)

    @property
    def ids(self) -> list[int]:
        return [movie.id for movie in self.results]


def read(kind: type[DocumentT], content: Any, *, region: str = "") -> DocumentT:
    """Validates a response, with the services of the given region only.

    Raises AnswerRejected with the invalid fields and the reasons.
    """
    ignored: list[str] = []
    try:
        document = kind.model_validate(content, context={"ignored": ignored, "region": region})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        shown = [f"{'.'.join(map(str, found['loc'])) or 'the answer'}: {found['msg']}" for found in problems]
        more = f" and {len(shown) - REASONS_SHOWN} more" if len(shown) > REASONS_SHOWN else ""
        raise AnswerRejected("; ".join(shown[:REASONS_SHOWN]) + more) from None
    if isinstance(document, MovieDocument):
        document._ignored.extend(ignored)
    return document
