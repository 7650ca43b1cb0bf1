from django.apps import AppConfig

from catalog.site_settings import hide_secret
from movierec.redaction import never_show


class MovierecConfig(AppConfig):
    name = "movierec"

    def ready(self) -> None:
        from movierec import checks  # noqa: F401 (registers them)

        hide_secret.append(never_show)
