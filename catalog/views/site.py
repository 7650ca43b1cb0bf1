"""What belongs to the site as a whole: its theme and its icon."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from catalog.templatetags.site import THEMES
from catalog.views.pages import safe_next

A_YEAR = 365 * 24 * 3600


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keeps the theme in a cookie, so that the server writes it into the page and nothing flashes."""
    theme = request.POST.get("theme", "")
    if theme not in (*THEMES, "auto"):
        expected = ", ".join((*THEMES, "auto"))
        text = _("theme: expected one of %(expected)s, got %(theme)r") % {"expected": expected, "theme": theme[:40]}
        return HttpResponseBadRequest(text, content_type="text/plain; charset=utf-8")
    response = redirect(safe_next(request, "recommender:home"))
    path = f"{settings.BASE_PATH}/"
    if theme in THEMES:
        is_secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie("theme", theme, A_YEAR, path=path, secure=is_secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie("theme", path=path, samesite="Lax")
    return response


@require_safe
@cache_control(public=True, max_age=86400)
def favicon(request: HttpRequest) -> HttpResponse:
    """For pages without an icon of their own, such as the admin and the API's documentation."""
    return redirect(static("img/favicon.svg"))
