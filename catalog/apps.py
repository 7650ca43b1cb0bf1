from django.apps import AppConfig
from django.urls import register_converter
from django.urls.converters import IntConverter
from django.utils.translation import gettext_lazy as _


class IdConverter(IntConverter):
    """The `<id:…>` path converter. Numbers too large for the database become its largest id, which no row has."""

    def to_python(self, value: str) -> int:
        return min(super().to_python(value), 2**63 - 1)


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        register_converter(IdConverter, "id")
        # models can be imported only now; importing these modules registers job kinds and connects signals
        from catalog.imports import lifecycle  # noqa: F401
        from catalog.jobs import heartbeat  # noqa: F401
        from catalog.sync import job, wikidata_job  # noqa: F401
