"""The pages "For you", "Together" and the watchlist sorted by predicted stars.

They have filters, an adventure dial, and more movies on request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from catalog.bounds import FIRST_YEAR, LAST_YEAR
from catalog.guests import mark_for
from catalog.models import Genre, Movie, Person, WatchlistItem, WatchService
from catalog.views.pages import SignedInRequest, paginated, post_only
from catalog.where_to_watch import streaming_services
from recommender import services
from recommender.api.serializers import RecommendationsQuerySerializer
from recommender.errors import InvalidRequest
from recommender.models import TasteConsent
from recommender.serving.filters import MINE, services_of
from recommender.serving.lists import RecommendationList
from recommender.serving.profile import UserProfile
from recommender.serving.request import MAX_EXCLUDED
from recommender.serving.together import companions_of, predicted_stars

ANYWHERE = "any"  # given instead of services, disables the filter and the user's preference
LIST = 24  # movies in a list
RUNTIMES = (90, 120, 150)  # maximum runtimes in minutes, as offered on the page
LABELS = {
    "genre": _("Genre"),
    "year_min": _("From year"),
    "year_max": _("To year"),
    "runtime_max": _("Runtime"),
    "language": _("Language"),
    "person": _("With"),
    "services": _("Where to watch"),
    "adventure": _("How adventurous"),
    "exclude": _("Recently listed"),
    "with": _("Together with"),
}


@dataclass
class Asked:
    """The parsed query string: the valid values, and error messages that start with the field's label."""

    given: QueryDict
    values: dict[str, Any]
    errors: list[str]

    @classmethod
    def by(cls, given: QueryDict) -> "Asked":
        """Parse the query string. Empty form fields are ignored."""
        given = given.copy()
        for name, texts in list(given.lists()):
            given.setlist(name, [text for text in texts if text.strip()])
            if not given.getlist(name):
                del given[name]
        named, on = given.copy(), given.getlist("on")
        if on and on != [ANYWHERE]:
            named["services"] = ",".join(on)
        query = RecommendationsQuerySerializer(data=named)
        if query.is_valid():
            values = dict(query.validated_data) | {"k": LIST, "explain": False}
            return cls(given, values, [])
        return cls(given, {}, _sentences(query.errors))

    def more(self, recommendations: RecommendationList) -> str:
        """Return the query string for more movies, which excludes those listed so far.

        Returns an empty string if there are no more movies or too many would be excluded.
        """
        listed = [*self.values.get("exclude", ()), *(result.movie.pk for result in recommendations.results)]
        if len(recommendations.results) < LIST or len(listed) > MAX_EXCLUDED - LIST:
            return ""
        query = self.given.copy()
        query["exclude"] = ",".join(map(str, listed))
        return query.urlencode()


@require_safe
def for_you(request: HttpRequest) -> HttpResponse:
    if request.GET.get("with", "").strip():
        return redirect(f"{reverse('recommender:together')}?{request.GET.urlencode()}")
    user = request.user if request.user.is_authenticated else None
    surface = "for-you" if user else None  # visitors' ratings are not stored before they sign up
    return _page(request, Asked.by(request.GET), user=user, surface=surface, address=reverse("recommender:for-you"))


@require_safe
@login_required
def together(request: SignedInRequest) -> HttpResponse:
    """Show a list for the user and the people named in the form, who must have consented."""
    asked = Asked.by(request.GET)
    names = asked.values.pop("names", [])
    asked.values.pop("with", None)
    context: dict[str, Any] = {
        "is_together": True,
        "names": names,
        "is_open": TasteConsent.objects.filter(user=request.user).exists(),
        "address": reverse("recommender:together"),
    }
    if not (names or asked.errors):
        return render(request, "recommender/for_you.html", context | {"given": asked.given} | _choices())
    try:
        asked.values["companions"] = companions_of(request.user, names) if names else []
    except InvalidRequest as error:
        asked.errors += _sentences(error.fields)
    return _page(request, asked, user=request.user, surface="together", **context)


@post_only
@login_required
def consent(request: SignedInRequest) -> HttpResponse:
    """Let others make lists with the user (`open=1`), or withdraw the consent. Idempotent."""
    if request.POST.get("open") == "1":
        TasteConsent.objects.get_or_create(user=request.user)
        messages.success(request, gettext("People who know your username can now make lists with you."))
    else:
        TasteConsent.objects.filter(user=request.user).delete()
        messages.success(request, gettext("Other people can no longer make lists with you."))
    return redirect("recommender:together")


@require_safe
@login_required
def watchlist(request: SignedInRequest) -> HttpResponse:
    """Show the watchlist sorted by the stars that the served model predicts. Unknown movies come last."""
    ids = list(WatchlistItem.objects.filter(user=request.user).values_list("movie_id", flat=True))
    predicted = predicted_stars([UserProfile.of(request.user)], ids)
    stars = {movie: values[0] for movie, values in predicted.items() if values[0]}
    page = paginated(request, sorted(ids, key=lambda movie: -stars.get(movie, 0.0)))
    movies = Movie.objects.in_bulk(page.object_list)
    mark_for(request, movies.values())
    text = gettext("Predicted rating: %(stars).1f ★")
    page.object_list = [
        {"movie": movies[movie], "reason": text % {"stars": stars[movie]} if movie in stars else ""}
        for movie in page.object_list
        if movie in movies
    ]
    context = {"page": page, "by_liking": True, "is_ranked": bool(stars)}
    return render(request, "catalog/watchlist.html", context)


def _page(request: HttpRequest, asked: Asked, *, user: Any, surface: str | None, **context: Any) -> HttpResponse:
    profile = UserProfile.of_request(request)
    context |= {"given": asked.given, "profile": profile} | _choices()
    prefers_own = _prefers_own(request.user, context["services"])
    if prefers_own and not asked.errors and not asked.given.get("on") and "services" not in asked.values:
        asked.values["services"] = MINE
    context["on"] = asked.given.get("on") or (MINE if prefers_own else ANYWHERE)
    if not asked.errors:
        try:
            if "services" in asked.values:
                asked.values["services"] = services_of(request.user, asked.values["services"])
            found = services.recommend(user=user, surface=surface, profile=profile, **asked.values)
            mark_for(request, [result.movie for result in found.results])
            everyone = {request.user.get_username(): profile} | dict(
                zip(context.get("names", ()), asked.values.get("companions", ()), strict=True)
            )
            reasons = _stars(everyone, found) if len(everyone) > 1 else [result.reason for result in found.results]
            cards = list(zip(found.results, reasons, strict=True))
            context |= {"recommendations": found, "cards": cards, "more": asked.more(found)}
        except InvalidRequest as error:
            asked.errors += _sentences(error.fields)
    context["errors"] = asked.errors
    return render(request, "recommender/for_you.html", context, status=422 if asked.errors else 200)


def _prefers_own(user: Any, services: list[WatchService]) -> bool:
    """Return whether lists contain only what the user's services stream. The form overrides the preference."""
    known = {service.pk for service in services}
    return user.is_authenticated and user.only_my_services and not known.isdisjoint(user.service_ids)


def _stars(everyone: dict[str, UserProfile], found: RecommendationList) -> list[str]:
    """Return the predicted stars of all people for each movie, without unknown values."""
    ids = [result.movie.pk for result in found.results]
    stars = predicted_stars(list(everyone.values()), ids)
    lines = [zip(everyone, stars.get(movie, ()), strict=False) for movie in ids]
    return [" · ".join(f"{name} {value:.1f} ★" for name, value in line if value) for line in lines]


def _sentences(errors: Mapping[str, Any]) -> list[str]:
    return [f"{LABELS.get(name, name)}: {texts[0]}" for name, texts in errors.items()]


def _choices() -> dict[str, Any]:
    """Return the choices of the form, limited to values in the catalog."""
    return {
        "genres": Genre.objects.order_by("name"),
        "languages": Movie.objects.languages(),
        "runtimes": RUNTIMES if Movie.objects.filter(runtime_minutes__gt=0).exists() else (),
        "services": list(streaming_services()),
        "has_people": Person.objects.exists(),
        "first_year": FIRST_YEAR,
        "last_year": LAST_YEAR,
    }
