"""Pages of `mlops`."""

from django.urls import URLPattern

app_name = "mlops"
urlpatterns: list[URLPattern] = []
