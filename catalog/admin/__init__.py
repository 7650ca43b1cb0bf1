"""The catalogue's admin. Changes that affect stored aggregates go through the services."""

from django.contrib import admin
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

# the modules register their admin classes
from catalog.admin import invitations, metadata, movies, records, sign_in, site_settings, users  # noqa: F401
from catalog.site_settings import site_name

admin.site.site_header = admin.site.site_title = lazy(site_name, str)()
admin.site.index_title = _("Administration")
