"""How templates show movies: posters and stars."""

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.models import Movie

TMDB_POSTERS = "https://image.tmdb.org/t/p/w342"

register = template.Library()


@register.filter
def poster_url(movie: Movie) -> str:
    """TMDB's poster where TMDB is on and has one, else the one this site draws."""
    if shows_tmdb() and movie.poster_path:
        return f"{TMDB_POSTERS}{movie.poster_path}"
    return reverse("catalog:poster", args=[movie.pk])


@register.simple_tag
def shows_tmdb() -> bool:
    return bool(settings.TMDB_READ_TOKEN)


@register.simple_tag
def stars(rating: float) -> SafeString:
    """Five stars, filled to the nearest half."""
    return format_html(
        '<span class="stars stars-{}" role="img" aria-label="{} of 5 stars"></span>', round(rating * 2), f"{rating:g}"
    )
