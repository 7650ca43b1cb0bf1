"""Renders a version's figures and the gate's decision as Markdown, for GitHub Actions' job summaries."""

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext

from mlops.dashboard.report import METRICS, figure_rows
from mlops.models import ModelVersion


def version_report(version: ModelVersion) -> str:
    """Returns the version's figures and the gate's latest decision on it as Markdown."""
    decision, data = version.decisions.first(), version.snapshot
    outcome = decision.get_outcome_display() if decision else gettext("not decided")
    models = [(row.name, *row.values, str(row.n_users), row.difference) for row in figure_rows(version.figures)]
    rules = [(rule.get_outcome_display(), rule.sentence) for rule in decision.findings] if decision else []
    return "\n".join(
        [
            f"## Version {version.pk} ({version.algorithm}): {outcome}\n",
            f"Data: `{data}`, {data.n_ratings:,} ratings ({', '.join(data.sources)})\n",
            *_table(("model", *METRICS, "users", "nDCG of the candidate, minus this"), models),
            *_table(("gate", "rule"), rules),
        ]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield from (f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head)))
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"
    yield ""
