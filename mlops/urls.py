"""Pages of `mlops`."""

from django.urls import path

from mlops.dashboard import views

app_name = "mlops"
urlpatterns = [
    path("mlops/", views.overview, name="dashboard"),
    path("mlops/first-model/", views.first_model, name="first-model"),
    path("mlops/runs/", views.runs_fragment, name="runs-fragment"),
]
