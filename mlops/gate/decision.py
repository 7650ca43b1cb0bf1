"""May a model go live? A pure function of what is known of the model and of the policy: no database, files or clock.

One rule that failed refuses the model. A change of algorithm or parameters that too few users were evaluated for is
neither passed nor refused.
"""

from dataclasses import dataclass

from mlops.findings import Finding, Outcome
from mlops.gate.inputs import GateInput
from mlops.gate.rules import RULES
from mlops.policy import GatePolicy

PASSED, REFUSED, NOT_ENOUGH_EVIDENCE = "passed", "refused", "not_enough_evidence"


@dataclass(frozen=True)
class Decision:
    """`outcome` is one of GateDecision.Outcome."""

    outcome: str
    findings: list[Finding]


def decide(given: GateInput, policy: GatePolicy) -> Decision:
    findings = [finding for rule in RULES for finding in rule(given, policy)]
    outcomes = {finding.outcome for finding in findings}
    if Outcome.FAILED in outcomes:
        return Decision(REFUSED, findings)
    return Decision(NOT_ENOUGH_EVIDENCE if Outcome.NOT_ENOUGH_EVIDENCE in outcomes else PASSED, findings)
