"""Filters that restrict the movies in a list."""

from dataclasses import dataclass
from typing import Any, Literal, Self, TypedDict

from django.db.models import Q
from django.utils.translation import gettext as _

from catalog.models import Credit, Genre, Movie, MovieGenre, Offer, Person, WatchService
from catalog.models.querysets import MovieQuerySet
from catalog.site_settings import region
from recommender.errors import FilterNotFound, InvalidRequest

MAX_PEOPLE = 5  # cast and crew members in one filter


MINE: Literal["mine"] = "mine"  # in place of service ids, means the user's own services


class FilterValues(TypedDict, total=False):
    """The filter values of a request. None and empty values do not filter."""

    genre: str | None  # name or slug
    year_min: int | None
    year_max: int | None
    runtime_min: int | None
    runtime_max: int | None
    language: str
    person: list[str]  # ids or names
    services: list[int]  # ids of services that stream the movie in the site's region


@dataclass(frozen=True)
class MovieFilters:
    """Validated filters of a list. They restrict the candidates, so the list is full if enough movies match."""

    genre: str = ""  # name or slug
    columns: frozenset[tuple[str, int | str]] = frozenset()
    people: tuple[frozenset[int], ...] = ()  # the movie must credit one person of each set
    services: frozenset[int] = frozenset()  # at least one must stream the movie

    @classmethod
    def of(cls, values: FilterValues) -> Self:
        """Validate the values.

        Raises InvalidRequest if they contradict each other or need a region that the site lacks. Raises FilterNotFound
        for an unknown person.
        """
        for name in ("year", "runtime"):
            low, high = values.get(f"{name}_min"), values.get(f"{name}_max")
            if isinstance(low, int) and isinstance(high, int) and low > high:
                text = _("expected at least the minimum, %(low)d; got %(high)d")
                raise InvalidRequest(f"{name}_max", text % {"low": low, "high": high})
        columns = {
            "year__gte": values.get("year_min"),
            "year__lte": values.get("year_max"),
            "runtime_minutes__gte": values.get("runtime_min"),
            "runtime_minutes__lte": values.get("runtime_max"),
            "language": values.get("language"),
        }
        people = [person.strip() for person in values.get("person") or () if person.strip()]
        if len(people) > MAX_PEOPLE:
            text = _("expected at most %(max)d people, got %(n)d")
            raise InvalidRequest("person", text % {"max": MAX_PEOPLE, "n": len(people)})
        services = frozenset(values.get("services") or ())
        if services and not region():
            raise InvalidRequest(
                "services", _("no region is configured for this site, so streaming offers are not available")
            )
        return cls(
            genre=values.get("genre") or "",
            columns=frozenset((name, value) for name, value in columns.items() if value not in (None, "")),
            people=tuple(_person(name) for name in people),
            services=services,
        )

    def __bool__(self) -> bool:
        return self != NO_FILTERS

    def narrow(self, movies: MovieQuerySet) -> MovieQuerySet:
        if self.genre:
            named = Q(genre__slug=self.genre.lower()) | Q(genre__name__iexact=self.genre)
            movies = movies.filter(pk__in=MovieGenre.objects.filter(named).values("movie"))
        for ids in self.people:
            movies = movies.filter(pk__in=Credit.objects.filter(person__in=ids).values("movie"))
        if self.services:
            offers = Offer.objects.filter(service__in=self.services, kind=Offer.Kind.STREAM, region=region())
            movies = movies.filter(pk__in=offers.values("movie"))
        return movies.filter(**dict(self.columns))

    def matching(self) -> frozenset[int]:
        """Return the ids of the matching movies.

        Raises FilterNotFound for an unknown genre or service, which are only looked up if no movie matches.
        """
        found = frozenset(self.narrow(Movie.objects.order_by()).values_list("pk", flat=True))
        if not found and self.genre:
            known = Genre.objects.filter(Q(slug=self.genre.lower()) | Q(name__iexact=self.genre))
            if not known.exists():
                text = _("unknown genre %(genre)r; expected the name or slug of a genre")
                raise FilterNotFound("genre", text % {"genre": self.genre})
        if not found and self.services:
            _check_known(self.services)
        return found


NO_FILTERS = MovieFilters()


def services_of(user: Any, wanted: list[int] | Literal["mine"]) -> list[int]:
    """Return the requested service ids. Raises InvalidRequest if the request says "mine" and the user has none."""
    if wanted != MINE:
        return wanted
    ids: list[int] = user.service_ids if user is not None and user.is_authenticated else []
    if not ids:
        text = _('expected ids; "mine" requires an account with services selected at /accounts/services/')
        raise InvalidRequest("services", text)
    return ids


def _check_known(services: frozenset[int]) -> None:
    known = set(WatchService.objects.filter(pk__in=services).values_list("pk", flat=True))
    if unknown := sorted(services - known):
        text = _("unknown services %(ids)s; expected ids from GET services/")
        raise FilterNotFound("services", text % {"ids": ", ".join(map(str, unknown))})


def _person(person: str) -> frozenset[int]:
    """Return the ids of all people with this name, or of the person with this id."""
    is_id = person.isascii() and person.isdigit() and len(person) < 19
    found = Person.objects.filter(pk=int(person)) if is_id else Person.objects.filter(name__iexact=person)
    ids = frozenset(found.values_list("pk", flat=True))
    if not ids:
        text = _("unknown person %(person)r; expected a full name or an id")
        raise FilterNotFound("person", text % {"person": person})
    return ids
