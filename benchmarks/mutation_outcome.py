"""The outcome of reading damaged uploads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """The outcome for one kind of damage. `examples` are failures, with the upload's number."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: {"raised": [], "watched": []})

    def add(self, other: Outcome) -> None:
        self.counts.update(other.counts)
        for name, found in other.examples.items():
            self.examples[name] += found
