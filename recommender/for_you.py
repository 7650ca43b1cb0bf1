"""The page "For you": the personal list with filters and the dial, and more of it on request."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.bounds import FIRST_YEAR, LAST_YEAR
from catalog.models import Genre, Movie, Person
from catalog.services import mark_movies
from recommender import services
from recommender.api.serializers import RecommendationsQuerySerializer
from recommender.errors import InvalidRequest
from recommender.serving.lists import RecommendationList
from recommender.serving.profile import UserProfile
from recommender.serving.request import MAX_EXCLUDED

LIST = 24  # movies
RUNTIMES = (90, 120, 150)  # minutes that the page offers as the most
LABELS = {
    "genre": _("Genre"),
    "year_min": _("From year"),
    "year_max": _("To year"),
    "runtime_max": _("Runtime"),
    "language": _("Language"),
    "person": _("With"),
    "adventure": _("Familiar or adventurous"),
    "exclude": _("Listed before"),
}


@dataclass
class Asked:
    """What the address asks for: the valid values, or the errors by label."""

    given: QueryDict
    values: dict[str, Any]
    errors: list[str]

    @classmethod
    def by(cls, given: QueryDict) -> "Asked":
        """A form sends its empty fields too; they ask for nothing."""
        given = given.copy()
        for name, values in list(given.lists()):
            given.setlist(name, [value for value in values if value.strip()])
            if not given.getlist(name):
                del given[name]
        query = RecommendationsQuerySerializer(data=given)
        if query.is_valid():
            values = dict(query.validated_data) | {"k": LIST, "explain": False}
            return cls(given, values, [])
        return cls(given, {}, [f"{LABELS.get(name, name)}: {texts[0]}" for name, texts in query.errors.items()])

    def more(self, recommendations: RecommendationList) -> str:
        """The query of the next part: this one without the movies so far. Empty where it would be too long."""
        listed = [*self.values.get("exclude", ()), *(result.movie.pk for result in recommendations.results)]
        if len(recommendations.results) < LIST or len(listed) > MAX_EXCLUDED - LIST:
            return ""
        query = self.given.copy()
        query["exclude"] = ",".join(map(str, listed))
        return query.urlencode()


@require_safe
@never_cache
def for_you(request: HttpRequest) -> HttpResponse:
    asked = Asked.by(request.GET)
    profile = UserProfile.of_request(request)
    recommendations = None
    if not asked.errors:
        user = request.user if request.user.is_authenticated else None
        try:
            surface = "for-you" if user else None  # what visitors rate is not kept before they sign up
            recommendations = services.recommend(user=user, surface=surface, profile=profile, **asked.values)
        except InvalidRequest as error:
            asked.errors += [f"{LABELS.get(name, name)}: {texts[0]}" for name, texts in error.fields.items()]
    context = {"asked": asked, "given": asked.given, "errors": asked.errors, "profile": profile} | _choices()
    if recommendations is not None:
        mark_movies(request.user, [result.movie for result in recommendations.results])
        context |= {"recommendations": recommendations, "more": asked.more(recommendations)}
    return render(request, "recommender/for_you.html", context, status=422 if asked.errors else 200)


def _choices() -> dict[str, Any]:
    """What the form offers; nothing that no movie of the catalog has."""
    return {
        "genres": Genre.objects.order_by("name"),
        "languages": Movie.objects.languages(),
        "runtimes": RUNTIMES if Movie.objects.filter(runtime_minutes__gt=0).exists() else (),
        "has_people": Person.objects.exists(),
        "first_year": FIRST_YEAR,
        "last_year": LAST_YEAR,
    }
