"""Template tags and filters for movies."""

from django import template
from django.conf import settings
from django.core.paginator import Page
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _
from django_countries import countries

from catalog.guests import mark_for
from catalog.models import Movie, Rating
from catalog.models.movie import Marks
from catalog.site_settings import tmdb_read_token

TMDB_POSTERS = "https://image.tmdb.org/t/p/w342"

register = template.Library()


@register.filter
def poster_url(movie: Movie) -> str:
    """Returns TMDB's poster if TMDB is set up and has one, otherwise the poster drawn by this site."""
    return real_poster_url(movie) or reverse("catalog:poster", args=[movie.pk])


@register.simple_tag
def real_poster_url(movie: Movie) -> str:
    return f"{TMDB_POSTERS}{movie.poster_path}" if shows_tmdb() and movie.poster_path else ""


@register.simple_tag
def shows_tmdb() -> bool:
    return bool(tmdb_read_token())


@register.simple_tag
def tmdb_logo_url() -> str:
    return settings.TMDB_LOGO_URL if tmdb_read_token() else ""


@register.simple_tag
def stars(rating: float) -> SafeString:
    """Draws five stars, filled to the nearest half."""
    return format_html(
        '<span class="stars stars-{}" role="img" aria-label="{}"></span>',
        round(rating * 2),
        _("%(rating)s of 5 stars") % {"rating": f"{rating:g}"},
    )


@register.simple_tag
def rating_histogram(movie: Movie) -> SafeString:
    """Draws the number of people who gave each rating as bars. Empty for a movie without ratings."""
    counts = Rating.objects.filter(movie=movie).histogram()
    most = max(counts.values())
    if not most:
        return SafeString("")
    bars = [
        (10 * at + 0.5, 40 - height, height, f"{step:g} ★: {count}")
        for at, (step, count) in enumerate(counts.items())
        for height in [round(1 + 39 * count / most, 1)]
    ]
    drawn = format_html_join("", '<rect x="{}" y="{}" width="9" height="{}" rx=".8"><title>{}</title></rect>', bars)
    text = _("Number of people for each rating: %(counts)s") % {"counts": ", ".join(bar[-1] for bar in bars)}
    plot = '<svg class="histogram" viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ends = '<p class="histogram-ends" aria-hidden="true"><span>½ ★</span><span>5 ★</span></p>'
    return format_html(plot + ends, text, drawn)


@register.simple_tag(takes_context=True)
def own_marks(context: Context, movie: Movie) -> Marks | None:
    """Returns the viewer's marks of the movie. Makes a query unless the view has called `mark_for`."""
    if movie.marks is None:
        mark_for(context["request"], [movie])
    return movie.marks


@register.simple_tag
def page_numbers(page: Page) -> list[int | str]:
    """Returns the first and last pages and those around the current one, with ellipses in between."""
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1))


@register.filter
def initials(name: str) -> str:
    """Returns the first letters of the first and the last word."""
    words = name.split()
    return "".join(word[0] for word in words[:1] + words[1:][-1:])


@register.filter
def country_name(code: str) -> str:
    """Returns the name of a country in the current language."""
    return str(countries.name(code))


@register.filter
def language_name(code: str) -> str:
    """Returns the name of an ISO 639-1 language in the current language, or the code itself if it is unknown."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code
