"""URLs of the staff dashboard."""

from django.urls import path

from mlops.dashboard import views

app_name = "mlops"
urlpatterns = [
    path("mlops/", views.overview, name="dashboard"),
    path("mlops/check-drift/", views.check_drift, name="check-drift"),
    path("mlops/first-model/", views.first_model, name="first-model"),
    path("mlops/promote/", views.promote_version, name="promote"),
    path("mlops/roll-back/", views.roll_back_version, name="roll-back"),
    path("mlops/runs/", views.runs_fragment, name="runs-fragment"),
    path("mlops/start/", views.start, name="start"),
    path("mlops/train/", views.train, name="train"),
]
