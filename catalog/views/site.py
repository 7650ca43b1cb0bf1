"""Site-wide views: theme and language, icon, web app manifest, and files for search engines."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps import views as sitemaps
from django.core.cache import cache
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from catalog.invitations import is_open
from catalog.models import Genre, Movie
from catalog.return_addresses import safe_next
from catalog.site_settings import site_name
from catalog.templatetags.site import THEMES
from catalog.views.pages import post_only

NOT_FOR_ROBOTS = ("admin/", "mlops/", "api/v1/", "import/", "suggestions/", "r/", "accounts/export/")
A_YEAR = 365 * 24 * 3600


@post_only
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Stores the theme in a cookie, so that the server can render it and the page does not flash."""
    theme = request.POST.get("theme", "")
    if theme not in (*THEMES, "auto"):
        return _not_one_of("theme", (*THEMES, "auto"), theme)
    response = redirect(safe_next(request, "recommender:home"))
    if theme in THEMES:
        _keep(response, "theme", theme)
    else:
        response.delete_cookie("theme", path=f"{settings.BASE_PATH}/", samesite="Lax")
    return response


@post_only
def choose_language(request: HttpRequest) -> HttpResponse:
    """Stores the language in a cookie, which takes precedence over the browser's setting."""
    language, known = request.POST.get("language", ""), dict(settings.LANGUAGES)
    if language not in known:
        return _not_one_of("language", known, language)
    response = redirect(safe_next(request, "recommender:home"))
    _keep(response, settings.LANGUAGE_COOKIE_NAME, language)
    return response


def _not_one_of(name: str, expected: Iterable[str], given: str) -> HttpResponse:
    text = _("%(name)s: expected one of %(expected)s, got %(given)r")
    values = {"name": name, "expected": ", ".join(expected), "given": given[:40]}
    return HttpResponseBadRequest(text % values, content_type="text/plain; charset=utf-8")


def _keep(response: HttpResponse, name: str, value: str) -> None:
    is_secure, path = settings.SESSION_COOKIE_SECURE, f"{settings.BASE_PATH}/"
    response.set_cookie(name, value, A_YEAR, path=path, secure=is_secure, httponly=True, samesite="Lax")


@require_safe
@cache_control(public=True, max_age=86400)
def favicon(request: HttpRequest) -> HttpResponse:
    """Returns the icon of pages without their own, such as the admin and the API documentation."""
    return redirect(static("img/favicon.svg"))


@require_safe
@cache_control(public=True, max_age=86400)
def manifest(request: HttpRequest) -> HttpResponse:
    """Returns the web app manifest, which makes the site installable."""
    start = f"{settings.BASE_PATH}/"
    icons = [("icon-192", 192, "any"), ("icon-512", 512, "any"), ("icon-maskable-512", 512, "maskable")]
    values = {
        "name": site_name(),
        "short_name": site_name(),
        "description": _("Movie recommendations that learn from every rating and explain why."),
        "id": start,
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": "#0e1014",
        "theme_color": "#0e1014",
        "icons": [
            {"src": static(f"img/{name}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for name, size, purpose in icons
        ],
    }
    return JsonResponse(values, content_type="application/manifest+json")


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    return render(request, "catalog/sw.js", content_type="text/javascript; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=86400)
def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "catalog/offline.html")


@require_safe
@cache_control(public=True, max_age=86400)
def robots(request: HttpRequest) -> HttpResponse:
    """Returns robots.txt. Crawlers read it only at a host's root, so a site under BASE_PATH must copy it there."""
    paths = [""] if settings.POLICY.accounts.members_only else NOT_FOR_ROBOTS
    lines = ["User-agent: *", *(f"Disallow: {settings.BASE_PATH}/{path}" for path in paths)]
    lines.append(f"Sitemap: {request.build_absolute_uri(reverse('catalog:sitemaps'))}")
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=3600)
def sitemap(request: HttpRequest, section: str) -> HttpResponse:
    """Returns a section of the sitemap. It is generated once an hour, however often it is requested."""
    number = request.GET.get("p", "1")
    if not (number.isascii() and number.isdigit() and len(number) < 7 and section in SITEMAPS):
        raise Http404
    key = f"sitemap:{request.scheme}:{request.get_host()}:{section}:{int(number)}"
    made: Any = cache.get_or_set(key, lambda: _sitemap(request, section), 3600)
    response: HttpResponse = made
    return response


def _sitemap(request: HttpRequest, section: str) -> HttpResponse:
    response: Any = sitemaps.sitemap(request, SITEMAPS, section)
    return response.render()


class MovieSitemap(Sitemap):
    """The best-known movies. Their number is limited for large catalogues."""

    MOST = 50_000
    limit = 1000

    def items(self) -> QuerySet[Movie]:
        return Movie.objects.order_by("-rating_count", "id").only("title", "updated_at")[: self.MOST]

    def lastmod(self, movie: Movie) -> datetime:
        return movie.updated_at

    def get_latest_lastmod(self) -> datetime | None:
        latest: datetime | None = Movie.objects.aggregate(latest=Max("updated_at"))["latest"]
        return latest


class GenreSitemap(Sitemap):
    def items(self) -> QuerySet[Genre]:
        return Genre.objects.all()


class PageSitemap(Sitemap):
    def items(self) -> Sequence[str]:
        return ["recommender:home", "catalog:movies", *(["catalog:sign-up"] if is_open() else [])]

    def location(self, name: str) -> str:
        return reverse(name)


SITEMAPS: dict[str, Any] = {"pages": PageSitemap, "genres": GenreSitemap, "movies": MovieSitemap}
