"""URLs of `mlops` under /api/v1/, for staff."""

from rest_framework.routers import SimpleRouter

from mlops.api.views import DriftViewSet, ModelViewSet, RunViewSet

router = SimpleRouter(use_regex_path=False)
router.register("models", ModelViewSet, basename="models")
router.register("runs", RunViewSet, basename="runs")
router.register("drift", DriftViewSet, basename="drift")

urlpatterns = router.urls
