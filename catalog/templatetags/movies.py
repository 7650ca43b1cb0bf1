"""Template tags and filters for movies."""

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info

from catalog.models import Movie
from catalog.models.rating import RATING_STEPS

TMDB_POSTERS = "https://image.tmdb.org/t/p/w342"

register = template.Library()


@register.filter
def poster_url(movie: Movie) -> str:
    """TMDB's poster if TMDB is on and has one, otherwise the site's own drawing."""
    if shows_tmdb() and movie.poster_path:
        return f"{TMDB_POSTERS}{movie.poster_path}"
    return reverse("catalog:poster", args=[movie.pk])


@register.simple_tag
def shows_tmdb() -> bool:
    return bool(settings.TMDB_READ_TOKEN)


@register.simple_tag
def tmdb_logo_url() -> str:
    return settings.TMDB_LOGO_URL if settings.TMDB_READ_TOKEN else ""


@register.simple_tag
def stars(rating: float) -> SafeString:
    """Draws five stars, filled to the nearest half."""
    return format_html(
        '<span class="stars stars-{}" role="img" aria-label="{} of 5 stars"></span>', round(rating * 2), f"{rating:g}"
    )


@register.simple_tag
def rating_steps() -> list[dict[str, str | float]]:
    """The steps of a rating form, from half a star to five."""
    return [
        {"rating": step, "value": f"{step:g}", "label": f"{step:g} star{'' if step <= 1 else 's'}"}
        for step in RATING_STEPS
    ]


@register.filter
def language_name(code: str) -> str:
    """English name of an ISO 639-1 code, or the code itself if unknown."""
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return code
