"""The 28 tests, and which automatic checks a full point takes: each source with the days after which it is stale."""

from dataclasses import dataclass

PYTEST, BEAT, GATE = "pytest", "beat", "gate"
SECTIONS = {"D": "Data", "M": "Model", "I": "Infrastructure", "Mo": "Monitoring"}


@dataclass(frozen=True)
class Test:
    id: str
    title: str
    needs: dict[str, int]

    @property
    def section(self) -> str:
        return SECTIONS[self.id.rstrip("0123456789")]


CI_DAYS, DAILY, WEEKLY, TRAINING, MONTHLY = 30, 3, 15, 30, 60

TESTS = (
    Test("D1", "Feature expectations are captured in a schema", {PYTEST: CI_DAYS, BEAT: TRAINING}),
    Test("D2", "All features are beneficial", {BEAT: WEEKLY}),
    Test("D3", "No feature's cost is too much", {GATE: TRAINING}),
    Test("D4", "Features adhere to meta-level requirements", {PYTEST: CI_DAYS}),
    Test("D5", "The data pipeline has privacy controls", {PYTEST: CI_DAYS}),
    Test("D6", "New features can be added quickly", {PYTEST: CI_DAYS}),
    Test("D7", "All input feature code is tested", {PYTEST: CI_DAYS}),
    Test("M1", "Every model specification is reviewed and checked in", {GATE: TRAINING}),
    Test("M2", "Offline metrics correlate with online ones", {BEAT: WEEKLY}),
    Test("M3", "All hyper-parameters have been tuned", {BEAT: DAILY}),
    Test("M4", "The impact of model staleness is known", {BEAT: MONTHLY}),
    Test("M5", "A simpler model is not better", {GATE: TRAINING}),
    Test("M6", "Quality is sufficient on all important slices", {GATE: TRAINING}),
    Test("M7", "The model has been tested for inclusion", {GATE: TRAINING}),
    Test("I1", "Training is reproducible", {PYTEST: CI_DAYS}),
    Test("I2", "Model specification code is unit tested", {PYTEST: CI_DAYS}),
    Test("I3", "The full pipeline is integration tested", {PYTEST: CI_DAYS}),
    Test("I4", "Model quality is validated before serving", {PYTEST: CI_DAYS, GATE: TRAINING}),
    Test("I5", "A single example can be debugged", {PYTEST: CI_DAYS}),
    Test("I6", "Models are tried before they serve", {GATE: TRAINING}),
    Test("I7", "Models can be rolled back quickly and safely", {PYTEST: CI_DAYS}),
    Test("Mo1", "Dependency changes result in notification", {PYTEST: CI_DAYS, BEAT: DAILY}),
    Test("Mo2", "Data invariants hold in training and serving inputs", {BEAT: DAILY}),
    Test("Mo3", "Training and serving features compute the same values", {BEAT: DAILY}),
    Test("Mo4", "Models are not too stale", {PYTEST: CI_DAYS, BEAT: DAILY}),
    Test("Mo5", "The model is numerically stable", {PYTEST: CI_DAYS, GATE: TRAINING}),
    Test("Mo6", "No regression in training speed, latency, memory", {BEAT: DAILY}),
    Test("Mo7", "No regression in prediction quality on served data", {BEAT: DAILY}),
)
BY_ID = {test.id: test for test in TESTS}
