from django.apps import AppConfig


class MovierecConfig(AppConfig):
    name = "movierec"

    def ready(self) -> None:
        from movierec import checks  # noqa: F401 (registers them)
