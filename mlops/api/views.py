from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import User
from mlops.api import serializers
from mlops.models import DriftReport, ModelVersion, PipelineRun
from mlops.registry.promotion import promote, roll_back
from mlops.training.runs import cancel_run, start_training


class StaffViewSet(viewsets.GenericViewSet):
    permission_classes = [IsAdminUser]
    lookup_value_converter = "id"

    def require(self, permission: str) -> None:
        if not self.request.user.has_perm(permission):
            raise PermissionDenied(f"This takes the permission {permission}.")

    def body(self, serializer_class: type[Any]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class ModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, StaffViewSet):
    """Model versions, their figures and decisions; promotion and roll-back."""

    queryset = ModelVersion.objects.select_related("snapshot")
    lookup_url_kwarg = "version"
    filterset_fields = ["status", "algorithm"]

    def get_serializer_class(self) -> type[Any]:
        return serializers.ModelSummarySerializer if self.action == "list" else serializers.ModelSerializer

    @extend_schema(request=serializers.PromoteSerializer, responses={200: serializers.PromotionSerializer})
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, version: int) -> Response:
        """Make this version the champion."""
        options = self.body(serializers.PromoteSerializer)
        self.require("mlops.force_modelversion" if options["force"] else "mlops.promote_modelversion")
        promotion = promote(version=version, by=cast(User, request.user), **options)
        return Response(serializers.PromotionSerializer(promotion).data)

    @extend_schema(request=serializers.RollBackSerializer, responses={200: serializers.PromotionSerializer})
    @action(detail=False, methods=["post"])
    def rollback(self, request: Request) -> Response:
        """Bring back the champion before this one, or a former one."""
        options = self.body(serializers.RollBackSerializer)
        self.require("mlops.promote_modelversion")
        return Response(serializers.PromotionSerializer(roll_back(by=cast(User, request.user), **options)).data)


class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, StaffViewSet):
    """Training runs, newest first."""

    queryset = PipelineRun.objects.select_related("requested_by", "version")
    lookup_url_kwarg = "id"
    filterset_fields = ["status", "trigger", "algorithm"]

    def get_serializer_class(self) -> type[Any]:
        return serializers.RunSummarySerializer if self.action == "list" else serializers.RunSerializer

    @extend_schema(request=serializers.StartRunSerializer, responses={202: serializers.RunSerializer})
    def create(self, request: Request) -> Response:
        """Queue a training; 409 while another one is active."""
        options = self.body(serializers.StartRunSerializer)
        self.require("mlops.start_training")
        run = start_training(trigger=PipelineRun.Trigger.API, requested_by=cast(User, request.user), **options)
        return Response(serializers.RunSerializer(run).data, status=202)

    @extend_schema(request=None, responses={202: serializers.RunSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, id: int) -> Response:
        """Ask the run to stop."""
        self.require("mlops.start_training")
        return Response(serializers.RunSerializer(cancel_run(run_id=id)).data, status=202)


class DriftViewSet(mixins.ListModelMixin, StaffViewSet):
    """Drift reports, newest first."""

    queryset = DriftReport.objects.all()
    serializer_class = serializers.DriftReportSerializer
    filterset_fields = ["status"]
