"""Where movies can be watched in the site's region, and users' services. Empty if the site has no region."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from catalog.errors import InvalidServices
from catalog.models import Movie, Offer, User, WatchService
from catalog.models.rating import MAX_SERVICES
from catalog.site_settings import region

CREDIT = "JustWatch"  # owner of the data; TMDB's terms require the name next to the offers


@dataclass(frozen=True)
class WhereToWatch:
    """The services that offer a movie in a region, and TMDB's page about them."""

    region: str
    link: str
    credit: str = CREDIT
    stream: list[WatchService] = field(default_factory=list)
    rent: list[WatchService] = field(default_factory=list)
    buy: list[WatchService] = field(default_factory=list)

    @property
    def kinds(self) -> list[tuple[str, list[WatchService]]]:
        """Returns the kinds of offers that exist, each with its label and services."""
        return [(str(kind.label), found) for kind in Offer.Kind if (found := getattr(self, kind.value))]


def where_to_watch(movie: Movie) -> WhereToWatch | None:
    """Returns where the movie can be watched, or None if nothing is known."""
    place = region()
    if not (place and movie.tmdb_id):
        return None
    offers = Offer.objects.filter(movie=movie, region=place).select_related("service")
    link = f"https://www.themoviedb.org/movie/{movie.tmdb_id}/watch?{urlencode({'locale': place})}"
    found = WhereToWatch(place, link)
    for offer in offers.order_by("service__position", "service__name", "service"):
        getattr(found, offer.kind).append(offer.service)
    return found if found.kinds else None


def streaming_services() -> QuerySet[WatchService]:
    """Returns the services that stream any movie in the site's region."""
    streamed = Offer.objects.filter(service=OuterRef("pk"), kind=Offer.Kind.STREAM, region=region())
    return WatchService.objects.filter(Exists(streamed)) if region() else WatchService.objects.none()


def save_services(*, user: User, services: Iterable[int], only: bool) -> None:
    """Saves the user's services. `only` limits "For you" to these services. Raises InvalidServices."""
    ids = sorted(set(services))
    known = set(streaming_services().values_list("pk", flat=True))
    if unknown := [pk for pk in ids if pk not in known]:
        text = _("These services do not stream in the site's region: %(ids)s.")
        raise _invalid(text % {"ids": ", ".join(map(str, unknown))})
    if len(ids) > MAX_SERVICES:
        raise _invalid(_("Choose at most %(max)d services. You chose %(n)d.") % {"max": MAX_SERVICES, "n": len(ids)})
    if only and not ids:
        raise _invalid(_("Choose at least one service, or turn off the filter."))
    user.watch_services, user.only_my_services = ",".join(map(str, ids)), only
    user.save(update_fields=["watch_services", "only_my_services"])


def _invalid(message: str) -> InvalidServices:
    return InvalidServices(message, fields={"services": [message]})
