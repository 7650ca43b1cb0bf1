"""All URLs: those of the apps, health, metrics and the API's documentation."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from movierec.api import FormatNegotiation, not_found
from movierec.ops import healthz, metrics, readyz

api_v1 = [
    path("", include("recommender.api.urls")),
    path("", include("catalog.api.urls")),
    path("", include("mlops.api.urls")),
]

# The documents are the same for all users, so keys are ignored.
api_schema = SpectacularAPIView.as_view(content_negotiation_class=FormatNegotiation, authentication_classes=[])
api_docs = SpectacularSwaggerSplitView.as_view(
    url_name="api-schema", http_method_names=["get", "head"], authentication_classes=[]
)

urlpatterns = [
    path("api/v1/", include((api_v1, "api"))),  # first, because its URLs are used most and patterns are tried in order
    path("", include("recommender.urls")),
    path("accounts/", include("catalog.account_urls")),
    path("", include("catalog.urls")),
    path("", include("mlops.urls")),
    path("admin/", admin.site.urls),
    path("api/schema/", api_schema, name="api-schema"),
    path("api/docs/", api_docs, name="api-docs"),
    re_path(r"^api/", not_found),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]
handler500 = "movierec.api.server_error"
