"""Admin of the catalogue. Changes that affect figures go through the services."""

from django.contrib import admin
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from catalog.admin import invitations, metadata, movies, records, sign_in, site_settings, users  # noqa: F401  # they register what they have
from catalog.site_settings import site_name

admin.site.site_header = admin.site.site_title = lazy(site_name, str)()
admin.site.index_title = _("Administration")
