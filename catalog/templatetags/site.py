"""Template tags used on every page, such as the theme, and metadata for other sites."""

import json
from typing import Any
from urllib.parse import urljoin

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog import setup, site_settings
from catalog.accounts import must_confirm_email
from catalog.invitations import is_open
from catalog.models import Credit, Movie
from catalog.models.rating import RATING_STEPS
from catalog.return_addresses import return_address
from catalog.templatetags.movies import real_poster_url

THEMES = ("light", "dark")
NOT_MARKUP = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
PEOPLE = 12

register = template.Library()


@register.simple_tag(takes_context=True)
def chosen_theme(context: dict[str, Any]) -> str:
    """Returns the theme chosen by the reader, or "" if the system decides."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in THEMES else ""


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    """Returns the code and own name of each language. Django's tag translates the names."""
    offered: list[tuple[str, str]] = settings.LANGUAGES
    return offered


@register.simple_tag
def sign_up_is_open() -> bool:
    """Returns whether pages offer sign-up to everyone."""
    return is_open()


@register.simple_tag
def waits_for_setup() -> bool:
    """Returns whether the site has no superuser yet, for pages of an empty site."""
    return setup.is_open()


@register.simple_tag
def known_site_name() -> str:
    """Returns the site's name without a query."""
    return site_settings.known_site_name()


@register.simple_tag
def ways_in() -> dict[str, Any]:
    """Returns the identity provider's name, if any, and whether passwords are on and addresses must be confirmed."""
    return {
        "provider": settings.OIDC.name if settings.OIDC else "",
        "passwords": settings.PASSWORD_SIGN_IN,
        "confirms": must_confirm_email(),
    }


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any]) -> str:
    """Returns the URL to which the page's forms return."""
    request: HttpRequest | None = context.get("request")
    return return_address(request) if request else ""


@register.simple_tag(takes_context=True)
def absolute_url(context: dict[str, Any], address: str) -> str:
    request: HttpRequest | None = context.get("request")
    return urljoin(request.build_absolute_uri(), address) if request else address


@register.simple_tag(takes_context=True)
def canonical_url(context: dict[str, Any]) -> str:
    """Returns the page's URL without its query, except for the page number."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return ""
    number = request.GET.get("page", "")
    query = f"?page={number}" if number.isascii() and number.isdigit() and int(number[:9]) > 1 else ""
    return request.build_absolute_uri().partition("?")[0] + query  # `path` could begin like the address of another host


@register.simple_tag
def movie_description(movie: Movie) -> str:
    """Returns the plot, or a summary of the known facts if there is none."""
    if movie.overview:
        return movie.overview
    facts = {"movie": movie, "genres": ", ".join(genre.label for genre in movie.genres.all()) or _("movie")}
    if movie.mean_rating is None:
        return _("%(movie)s: %(genres)s. Rate it and see similar movies.") % facts
    facts |= {"mean": f"{movie.mean_rating:.1f}", "count": movie.rating_count}
    return _("%(movie)s: %(genres)s. Rated %(mean)s of 5 by %(count)s people. Cast and similar movies.") % facts


@register.simple_tag(takes_context=True)
def movie_json_ld(context: dict[str, Any], movie: Movie) -> SafeString:
    """Returns the movie as schema.org data. Browsers do not execute this block, so CSP allows it."""
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Movie",
        "name": movie.title,
        "url": absolute_url(context, movie.get_absolute_url()),
        "alternateName": movie.original_title if movie.original_title != movie.title else "",
        "description": movie.overview,
        "image": real_poster_url(movie),
        "datePublished": movie.release_date.isoformat() if movie.release_date else str(movie.year or ""),
        "duration": f"PT{movie.runtime_minutes}M" if movie.runtime_minutes else "",
        "inLanguage": movie.language,
        "genre": [genre.name for genre in movie.genres.all()],
        "director": _people(movie.directors),
        "actor": _people(movie.cast[:PEOPLE]),
        "sameAs": f"https://www.imdb.com/title/{movie.imdb_id}/" if movie.imdb_id else "",
    }
    if movie.mean_rating is not None:
        data["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(movie.mean_rating, 2),
            "ratingCount": movie.rating_count,
            "bestRating": RATING_STEPS[-1],
            "worstRating": RATING_STEPS[0],
        }
    written = json.dumps({key: value for key, value in data.items() if value}, ensure_ascii=False)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(written.translate(NOT_MARKUP)))


def _people(credits: list[Credit]) -> list[dict[str, str]]:
    return [{"@type": "Person", "name": credit.person.name} for credit in credits]
