from django.apps import AppConfig


class MovierecConfig(AppConfig):
    name = "movierec"
