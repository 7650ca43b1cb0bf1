from typing import Any, ClassVar

from django.db.models import TextChoices
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.inputs import BodySerializer, QuerySerializer
from mlops.evaluation.parameters import ALGORITHMS
from mlops.models import DriftReport, GateDecision, ModelVersion, PipelineRun, Promotion, RunStep

# The characters that `str.strip` removes. `\s` in JSON Schema is a different set.
BLANK = r"^[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$"


def _choices(choices: type[TextChoices]) -> str:
    """Returns the choices as a help text. The schema has plain strings, to avoid four enums named `status`."""
    return f"One of {', '.join(choices.values)}."


@extend_schema_field({"type": "string", "enum": sorted(ALGORITHMS)})
class AlgorithmField(serializers.CharField):
    """The name of an algorithm. The service validates it."""


class GateDecisionSerializer(serializers.ModelSerializer[GateDecision]):
    champion = serializers.IntegerField(source="champion_id", allow_null=True, read_only=True)
    decision = serializers.CharField(source="outcome", read_only=True, help_text=_choices(GateDecision.Outcome))
    rules = serializers.SerializerMethodField(
        help_text="Each rule with its code, name, outcome, sentence, figure, interval and threshold."
    )

    class Meta:
        model = GateDecision
        fields = ["decision", "champion", "sentence", "rules", "decided_at"]

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_rules(self, decision: GateDecision) -> list[dict[str, Any]]:
        return [
            finding.to_dict() | {"name": finding.title, "sentence": finding.sentence} for finding in decision.findings
        ]


class ModelSummarySerializer(serializers.ModelSerializer[ModelVersion]):
    status = serializers.CharField(read_only=True, help_text=_choices(ModelVersion.Status))
    version = serializers.IntegerField(source="pk", read_only=True)
    data_hash = serializers.CharField(source="snapshot.content_hash", read_only=True)

    class Meta:
        model = ModelVersion
        fields = ["version", "algorithm", "status", "ndcg", "data_hash", "created_at", "artifact_removed_at"]


class ModelSerializer(ModelSummarySerializer):
    verdict = serializers.SerializerMethodField()

    class Meta(ModelSummarySerializer.Meta):
        fields = [
            *ModelSummarySerializer.Meta.fields,
            "parameters",
            "chosen",
            "random_state",
            "config_hash",
            "code_revision",
            "libraries",
            "figures",
            "artifact_checksum",
            "artifact_bytes",
            "mlflow_run_id",
            "mlflow_version",
            "verdict",
        ]

    @extend_schema_field(GateDecisionSerializer(allow_null=True))
    def get_verdict(self, version: ModelVersion) -> dict[str, Any] | None:
        decision = version.decisions.first()
        return dict(GateDecisionSerializer(decision).data) if decision else None


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    kind = serializers.CharField(read_only=True, help_text=_choices(Promotion.Kind))
    version = serializers.IntegerField(source="version_id", read_only=True)
    previous = serializers.IntegerField(source="previous_id", allow_null=True, read_only=True)
    promoted_by = serializers.CharField(source="promoted_by.username", default=None, allow_null=True, read_only=True)
    reason = serializers.CharField(source="why", read_only=True)

    class Meta:
        model = Promotion
        fields = ["version", "previous", "kind", "promoted_by", "reason", "promoted_at"]


class PromoteSerializer(BodySerializer):
    reason = serializers.CharField(default="", allow_blank=True, max_length=1000)
    force = serializers.BooleanField(default=False, help_text="Against the gate; needs a reason and the permission.")

    schema_rule: ClassVar = {  # each part has a type, because client generators require it
        "not": {
            "type": "object",
            "properties": {
                "force": {"type": "boolean", "enum": [True]},
                "reason": {"type": "string", "pattern": BLANK},
            },
            "required": ["force"],
        }
    }


class RollBackSerializer(BodySerializer):
    to = serializers.IntegerField(
        default=None, allow_null=True, min_value=1, help_text="A former champion; without it the one before."
    )
    reason = serializers.CharField(default="", allow_blank=True, max_length=1000)


class ModelQuerySerializer(QuerySerializer):
    status = serializers.ChoiceField(ModelVersion.Status.values, required=False)
    algorithm = serializers.CharField(required=False, trim_whitespace=False)


class RunStepSerializer(serializers.ModelSerializer[RunStep]):
    status = serializers.CharField(read_only=True, help_text=_choices(RunStep.Status))

    class Meta:
        model = RunStep
        fields = ["name", "status", "progress", "share", "remaining_seconds", "figures", "started_at", "ended_at"]


class RunSummarySerializer(serializers.ModelSerializer[PipelineRun]):
    status = serializers.CharField(read_only=True, help_text=_choices(PipelineRun.Status))
    started_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True, read_only=True)
    queued_at = serializers.DateTimeField(source="created_at", read_only=True)
    outcome = serializers.CharField(read_only=True, help_text="How it ended, as a code; `message` says it in words.")
    version = serializers.IntegerField(source="version.pk", default=None, allow_null=True, read_only=True)

    class Meta:
        model = PipelineRun
        fields = [
            "id",
            "status",
            "trigger",
            "started_by",
            "algorithm",
            "outcome",
            "details",
            "message",
            "step",
            "share",
            "remaining_seconds",
            "version",
            "queued_at",
            "started_at",
            "heartbeat_at",
            "ended_at",
        ]


class RunSerializer(RunSummarySerializer):
    steps = RunStepSerializer(many=True, read_only=True)

    class Meta(RunSummarySerializer.Meta):
        fields = [*RunSummarySerializer.Meta.fields, "parameters", "log", "steps"]


class StartRunSerializer(BodySerializer):
    algorithm = AlgorithmField(default=None, allow_null=True)


class RunQuerySerializer(QuerySerializer):
    status = serializers.ChoiceField(PipelineRun.Status.values, required=False)
    trigger = serializers.ChoiceField(PipelineRun.Trigger.values, required=False)
    algorithm = serializers.CharField(required=False, trim_whitespace=False)


class DriftQuerySerializer(QuerySerializer):
    status = serializers.ChoiceField(DriftReport.Status.values, required=False)


class DriftReportSerializer(serializers.ModelSerializer[DriftReport]):
    status = serializers.CharField(read_only=True, help_text=_choices(DriftReport.Status))
    checks = serializers.SerializerMethodField()

    class Meta:
        model = DriftReport
        fields = ["id", "status", "checks", "window_start", "window_end", "created_at"]

    @extend_schema_field(
        serializers.JSONField(help_text="Each check: code, figure, thresholds, sample sizes, status, sentence.")
    )
    def get_checks(self, report: DriftReport) -> list[dict[str, Any]]:
        return [
            {
                "code": check.code,
                "name": check.title,
                "status": check.outcome,
                "figure": check.figure,
                "alert": check.threshold,
                "sentence": check.sentence,
                **check.params,
            }
            for check in report.findings
        ]
