from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.management.base import ServiceCommand
from catalog.progress import progress_bar
from mlops.dashboard.markdown import version_report
from mlops.delivery.transfer import import_version
from mlops.models import GateDecision, ModelVersion


class Command(ServiceCommand):
    help = (
        "Brings in a package that export_model wrote: checks every byte, that the model knows this site's movies, and "
        "its smoke test; compares it with the champion and asks the gate; promotes it if it passed and policy lets it. "
        "Ends with code 1 if the gate refuses it. The same package again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("package", metavar="PACKAGE", help="A folder, or s3://bucket/prefix/model-CHECKSUM.")
        parser.add_argument("--report", type=Path, metavar="FILE", help="Write figures and rules as Markdown.")

    def handle(self, *args: Any, **options: Any) -> None:
        with progress_bar(unit="step", shown=self.show_progress) as bar:

            def show(text: str, done: int, total: int) -> None:
                bar.total, bar.n = total, done
                bar.set_description_str(text)

            version, decision = import_version(address=options["package"], on_progress=show)
        if options["report"]:
            options["report"].write_text(version_report(version), encoding="utf-8")
        if version.status == ModelVersion.Status.REFUSED:
            raise CommandError(f"The gate refused version {version.pk}. {decision.sentence}")
        if version.status == ModelVersion.Status.CANDIDATE:
            waits = GateDecision.Outcome(decision.outcome).label
            self.stdout.write(self.style.WARNING(f"Version {version.pk} waits for a person: {waits}."))
            return
        self.stdout.write(self.style.SUCCESS(f"Version {version.pk}: {version.get_status_display()}."))
