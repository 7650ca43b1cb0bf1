from dataclasses import dataclass, field


@dataclass(frozen=True)
class LineError:
    line: int
    message: str


@dataclass
class BulkReport:
    """Lines by outcome; rejected lines change nothing."""

    lines: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[LineError] = field(default_factory=list)

    def add(self, inserted: int, updated: int, unchanged: int) -> None:
        self.inserted += inserted
        self.updated += updated
        self.unchanged += unchanged

    def reject(self, line: int, message: str) -> None:
        self.errors.append(LineError(line, message))

    @property
    def rejected(self) -> int:
        return len(self.errors)

    @property
    def in_order(self) -> list[LineError]:
        return sorted(self.errors, key=lambda error: error.line)
