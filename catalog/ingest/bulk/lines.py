"""Schemas of lines for movies, users and ratings, and their parser."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from django.conf import settings
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import ProhibitNullCharactersValidator, validate_email
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from catalog.bounds import FIRST_YEAR, LARGEST_ID, LAST_YEAR
from catalog.errors import InvalidBulk
from catalog.ingest.report import BulkReport
from catalog.models.rating import CLOCK_TOLERANCE, RATING_STEPS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _checked_by(validate: Callable[[str], None]) -> AfterValidator:
    """Wraps a Django validator for pydantic."""

    def check(text: str) -> str:
        try:
            validate(text)
        except DjangoValidationError as error:
            raise ValueError(" ".join(error.messages)) from None
        return text

    return AfterValidator(check)


def _email_or_empty(text: str) -> None:
    if text:
        validate_email(text)


def _half_stars(rating: float) -> float:
    if rating not in RATING_STEPS:
        raise ValueError("expected half stars from 0.5 to 5")
    return rating


def _known_moment(moment: datetime) -> datetime:
    if not EPOCH <= moment <= timezone.now() + CLOCK_TOLERANCE:
        raise ValueError("expected a moment from 1970 to now")
    return moment


def _as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


_WITHOUT_NUL = ProhibitNullCharactersValidator("contains a NUL character, which databases cannot store")
Plain: TypeAlias = Annotated[str, _checked_by(_WITHOUT_NUL)]
ExternalId: TypeAlias = Annotated[Plain, Field(min_length=1, max_length=64), BeforeValidator(_as_text)]
CatalogueId: TypeAlias = Annotated[int, Field(ge=1, le=LARGEST_ID)]
GenreName: TypeAlias = Annotated[Plain, Field(min_length=1, max_length=60)]
KeywordName: TypeAlias = Annotated[Plain, Field(min_length=1, max_length=120)]
PersonName: TypeAlias = Annotated[Plain, Field(min_length=1, max_length=160)]
Username: TypeAlias = Annotated[
    Plain,
    BeforeValidator(lambda name: unicodedata.normalize("NFKC", name) if isinstance(name, str) else name),
    Field(min_length=1, max_length=150),
    _checked_by(UnicodeUsernameValidator()),
]


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class MovieLine(Line):
    """A movie. Missing fields are left unchanged. Lists replace earlier ones."""

    external_id: ExternalId
    title: Annotated[Plain, Field(min_length=1, max_length=300)] = ""
    original_title: Annotated[Plain, Field(max_length=300)] = ""
    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] | None = None
    release_date: Annotated[date, Field(ge=date(FIRST_YEAR, 1, 1), le=date(LAST_YEAR, 12, 31))] | None = None
    overview: Annotated[Plain, Field(max_length=20_000)] = ""
    language: Annotated[Plain, Field(max_length=8)] = ""
    runtime_minutes: Annotated[int, Field(ge=0, le=32_767)] | None = None
    is_adult: bool = False
    movielens_id: CatalogueId | None = None
    tmdb_id: CatalogueId | None = None
    imdb_id: Annotated[str, Field(pattern=r"^tt\d{5,12}$")] | None = None
    genres: tuple[GenreName, ...] = ()
    keywords: tuple[KeywordName, ...] = ()
    cast: tuple[PersonName, ...] = ()
    directors: tuple[PersonName, ...] = ()


class UserLine(Line):
    """A user with ratings. The user cannot sign in until staff set a password."""

    external_id: ExternalId
    username: Username | None = None
    email: Annotated[Plain, Field(max_length=254), _checked_by(_email_or_empty)] = ""


class RatingLine(Line):
    """A rating. `user` and `movie` are external ids. Only a user's latest rating of a movie is used."""

    user: ExternalId
    movie: ExternalId
    rating: Annotated[float, AfterValidator(_half_stars)]
    rated_at: Annotated[AwareDatetime, AfterValidator(_known_moment)]


Kind = TypeVar("Kind", bound=Line)


NumberedLine: TypeAlias = tuple[int, Kind]


def read_lines(body: bytes, kind: type[Kind], report: BulkReport) -> list[NumberedLine[Kind]]:
    """Returns the valid lines and reports the others. Raises InvalidBulk if there are none or too many."""
    numbered = enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1)  # blank lines count too
    rows = [(number, line) for number, line in numbered if line.strip()]
    limit = settings.POLICY.bulk.max_lines
    if not body:
        raise InvalidBulk(_("The request is empty. Send one JSON object per line."))
    if len(rows) > limit:
        text = _("The request has %(n)s lines. The limit is %(limit)s.")
        raise InvalidBulk(text % {"limit": f"{limit:,}", "n": f"{len(rows):,}"})
    report.lines = len(rows)
    good = []
    for number, raw in rows:
        try:
            good.append((number, kind.model_validate_json(raw)))
        except ValidationError as error:
            report.reject(number, "; ".join(_sentence(found) for found in error.errors(include_url=False)))
    return good


def _sentence(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
