"""Admin of the catalogue. Changes that affect figures go through the services."""

from django.contrib import admin

from catalog.admin import invitations, metadata, movies, records, sign_in, users  # noqa: F401  # they register what they have

admin.site.site_header = admin.site.site_title = "Movierec"
admin.site.index_title = "Administration"
