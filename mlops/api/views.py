from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.inputs import FilteredListMixin, read
from catalog.api.scopes import OPERATING
from catalog.models import User
from mlops.api import serializers
from mlops.models import DriftReport, ModelVersion, PipelineRun
from mlops.registry.promotion import promote, roll_back
from mlops.training.runs import cancel_run, start_training


class StaffViewSet(FilteredListMixin, viewsets.GenericViewSet):
    permission_classes = [IsAdminUser]
    scopes = OPERATING
    lookup_value_converter = "id"

    def require(self, permission: str) -> None:
        if not self.request.user.has_perm(permission):
            raise PermissionDenied(f"This takes the permission {permission}.")


class ModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, StaffViewSet):
    """Model versions with their figures and decisions, and their promotion and rollback."""

    queryset = ModelVersion.objects.select_related("snapshot")
    lookup_url_kwarg = "version"
    query_class = serializers.ModelQuerySerializer

    def get_serializer_class(self) -> type[Any]:
        return serializers.ModelSummarySerializer if self.action == "list" else serializers.ModelSerializer

    @extend_schema(request=serializers.PromoteSerializer, responses={200: serializers.PromotionSerializer, 409: None})
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, version: int) -> Response:
        """Make this version the champion."""
        options = read(serializers.PromoteSerializer, request.data)
        self.require("mlops.force_modelversion" if options["force"] else "mlops.promote_modelversion")
        promotion = promote(version=version, by=cast(User, request.user), **options)
        return Response(serializers.PromotionSerializer(promotion).data)

    @extend_schema(
        request=serializers.RollBackSerializer, responses={200: serializers.PromotionSerializer, 404: None, 409: None}
    )
    @action(detail=False, methods=["post"])
    def rollback(self, request: Request) -> Response:
        """Restore the previous champion, or the given former champion."""
        options = read(serializers.RollBackSerializer, request.data)
        self.require("mlops.promote_modelversion")
        return Response(serializers.PromotionSerializer(roll_back(by=cast(User, request.user), **options)).data)


class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, StaffViewSet):
    """Training runs, newest first."""

    queryset = PipelineRun.objects.select_related("requested_by", "version")
    lookup_url_kwarg = "id"
    query_class = serializers.RunQuerySerializer

    def get_serializer_class(self) -> type[Any]:
        return serializers.RunSummarySerializer if self.action == "list" else serializers.RunSerializer

    @extend_schema(request=serializers.StartRunSerializer, responses={202: serializers.RunSerializer, 409: None})
    def create(self, request: Request) -> Response:
        """Queue a training. Returns 409 while another one is active."""
        options = read(serializers.StartRunSerializer, request.data)
        self.require("mlops.start_training")
        run = start_training(trigger=PipelineRun.Trigger.API, requested_by=cast(User, request.user), **options)
        return Response(serializers.RunSerializer(run).data, status=202)

    @extend_schema(request=None, responses={202: serializers.RunSerializer, 409: None})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, id: int) -> Response:
        """Ask the run to stop."""
        self.require("mlops.start_training")
        return Response(serializers.RunSerializer(cancel_run(run_id=id)).data, status=202)


class DriftViewSet(mixins.ListModelMixin, StaffViewSet):
    """Drift reports, newest first."""

    queryset = DriftReport.objects.all()
    serializer_class = serializers.DriftReportSerializer
    query_class = serializers.DriftQuerySerializer
