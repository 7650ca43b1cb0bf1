"""Schemas of TMDB's answers. Anything else is rejected with a reason.

Types are strict (a quoted number is not a number), and every text is bounded by the column it is written to.
"""

from datetime import date
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from catalog.errors import AnswerRejected

REASONS_SHOWN = 3
PREMIERE = 1  # TMDB's type of a release at a festival

DocumentT = TypeVar("DocumentT", bound=BaseModel)


def _date(value: Any) -> Any:
    """TMDB writes missing dates as empty texts."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("expected a date as text")
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"expected a date like 1999-12-31, got {value[:40]!r}") from None
    if not 1870 <= found.year <= 2200:
        raise ValueError(f"expected a year from 1870 to 2200, got {found.year}")
    return found


def _day(value: Any) -> Any:
    """The date of a time like 1999-10-15T00:00:00.000Z."""
    return _date(value[:10]) if isinstance(value, str) else _date(value)


def _cut(value: Any) -> Any:
    return value[:200] if isinstance(value, str) else value


_EmptyAsNone = BeforeValidator(lambda value: None if value in ("", 0) else value)
_NoneAsEmptyList = BeforeValidator(lambda value: [] if value is None else value)
_NoneAsEmptyText = BeforeValidator(lambda value: "" if value is None else value)


def Text(longest: int, *, shortest: int = 0) -> Any:  # noqa: N802 (reads as the type it makes)
    bounds = StringConstraints(strip_whitespace=True, min_length=shortest, max_length=longest)
    return Annotated[str, bounds] if shortest else Annotated[str, _NoneAsEmptyText, bounds]


Id = Annotated[int, Field(ge=1, le=2_147_483_647)]
ImdbId = Annotated[Annotated[str, StringConstraints(pattern=r"^tt\d{7,12}$")] | None, _EmptyAsNone]


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


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
    cast: list[CastMember] = Field(max_length=5000)
    crew: list[CrewMember] = Field(max_length=10_000)


class OtherTitle(_Document):
    title: Text(300)  # type: ignore[valid-type]


class LocalRelease(_Document):
    release_date: Annotated[date | None, BeforeValidator(_day)] = None
    type: int


class CountryReleases(_Document):
    iso_3166_1: str = Field(max_length=8)
    release_dates: list[LocalRelease] = Field(max_length=1000)


class MovieDocument(_Document):
    """`/movie/{id}` with everything appended to it. Attributes that `ingest/fields` lists have the same names."""

    id: Id
    title: Text(300, shortest=1)  # type: ignore[valid-type]
    original_title: Text(300) = ""  # type: ignore[valid-type]
    language: Text(8) = Field(validation_alias="original_language")  # type: ignore[valid-type]
    is_adult: bool = Field(validation_alias="adult")
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
    genres: Annotated[list[GenreName], _NoneAsEmptyList, Field(max_length=100)] = []
    keywords: list[KeywordName] = Field(validation_alias=AliasPath("keywords", "keywords"), max_length=2000)
    credits: Credits
    external_imdb_id: ImdbId = Field(default=None, validation_alias=AliasPath("external_ids", "imdb_id"))
    alternative_titles: list[OtherTitle] = Field(
        default=[], validation_alias=AliasPath("alternative_titles", "titles"), max_length=2000
    )
    releases: list[CountryReleases] = Field(
        default=[], validation_alias=AliasPath("release_dates", "results"), max_length=400
    )

    @model_validator(mode="after")
    def _has_one_imdb_id(self) -> Self:
        if self.own_imdb_id and self.external_imdb_id and self.own_imdb_id != self.external_imdb_id:
            raise ValueError(f"two IMDb ids, {self.own_imdb_id} and {self.external_imdb_id}")
        return self

    @property
    def tmdb_id(self) -> int:
        return self.id

    @property
    def imdb_id(self) -> str | None:
        return self.own_imdb_id or self.external_imdb_id

    @property
    def release_date(self) -> date | None:
        """The first public showing; a premiere counts only if nothing else is known."""
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


def read(kind: type[DocumentT], content: Any) -> DocumentT:
    """Raises AnswerRejected, naming what is wrong and where."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        shown = [f"{'.'.join(map(str, found['loc'])) or 'the answer'}: {found['msg']}" for found in problems]
        more = f" and {len(shown) - REASONS_SHOWN} more" if len(shown) > REASONS_SHOWN else ""
        raise AnswerRejected("; ".join(shown[:REASONS_SHOWN]) + more) from None
