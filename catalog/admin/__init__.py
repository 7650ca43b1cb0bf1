"""Admin of the catalogue. Changes that affect figures go through the services."""

from django.contrib import admin

from catalog.admin import metadata, movies, records, users  # noqa: F401  # they register their classes
from catalog.throttling import SignInThrottle, limited

admin.site.site_header = admin.site.site_title = "Movierec"
admin.site.index_title = "Administration"
admin.site.login = limited(SignInThrottle)(admin.site.login)  # type: ignore[assignment, method-assign]
admin.site.password_change = limited(SignInThrottle)(admin.site.password_change)  # type: ignore[assignment, method-assign]
