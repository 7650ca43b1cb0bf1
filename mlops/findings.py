"""Findings: the result of one check as a stable code with its figures. Sentences are looked up for display.

Rows and files hold `Finding.to_dict()`; code compares `code`, `message` and `outcome`, never a sentence. Each package
lists its codes in a module `codes.py` as TextChoices, whose labels are short titles, and registers them here together
with the sentences. Titles and sentences are gettext messages with named placeholders: `subject`, `figure`,
`threshold`, `low`, `high`, whatever `params` holds, and in sentences `title`. A value that is a code itself is shown
by its title.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.sentences import fill

Text = str | Promise

LEGACY = "legacy"  # written before there were codes: params hold its `name` and `text`, which are shown as they are


class Outcome(TextChoices):
    PASSED = "passed", _("passed")
    FAILED = "failed", _("failed")
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence", _("not enough evidence")
    NOT_JUDGED = "not_judged", _("not judged")
    OK = "ok", _("ok")
    WARN = "warn", _("warning")
    ALERT = "alert", _("alert")
    INSUFFICIENT_DATA = "insufficient_data", _("insufficient data")

    @classmethod
    def alert_if(cls, is_bad: bool) -> "Outcome":
        return cls.ALERT if is_bad else cls.OK


@dataclass(frozen=True)
class Finding:
    """`code` names the check and `subject` what it is about, where there are several, such as one slice of many.

    `message` is the code of the sentence about the result; where it is empty the check's own sentence is shown.
    """

    code: str
    outcome: str
    figure: float | None = None
    threshold: float | None = None
    interval: tuple[float, float] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    subject: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; a plain string for each code."""
        return asdict(self) | {"code": str(self.code), "outcome": str(self.outcome), "message": str(self.message)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """Ignores keys that it does not know: a later version may have written the row."""
        values = {item.name: row[item.name] for item in fields(cls) if item.name in row}
        if values.get("interval"):
            values["interval"] = tuple(values["interval"])
        return cls(**values)

    @property
    def key(self) -> str:
        return f"{self.code}:{self.subject}" if self.subject else str(self.code)

    def __str__(self) -> str:
        return self.sentence

    @property
    def title(self) -> str:
        return title(self.code, self._values())

    @property
    def sentence(self) -> str:
        """About the result, in the reader's language; the title where the check has no sentence."""
        text = _sentences.get(str(self.message)) or _sentences.get(str(self.code))
        return self.title if text is None else _fill(text, {"title": self.title, **self._values()})

    def get_outcome_display(self) -> str:
        """The outcome's label, as of a model's field with choices; an unknown one of a later version as it is."""
        return str(dict(Outcome.choices).get(str(self.outcome), self.outcome))

    def _values(self) -> dict[str, Any]:
        low, high = self.interval or (None, None)
        own = {"subject": self.subject, "figure": self.figure, "threshold": self.threshold, "low": low, "high": high}
        return own | dict(self.params)


_titles: dict[str, Text] = {LEGACY: "{name}"}
_sentences: dict[str, Text] = {LEGACY: "{text}"}


def register(
    codes: Iterable[TextChoices] = (),
    sentences: Mapping[str, Text] | None = None,
    titles: Mapping[str, Text] | None = None,
) -> None:
    """Titles by code, those of `codes` being their labels, and sentences by code or message."""
    _titles.update({code.value: code.label for code in codes} | dict(titles or {}))
    _sentences.update({str(code): text for code, text in (sentences or {}).items()})


def title(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The short name of a check in the reader's language; the code itself where it is unknown.

    `code` may be a finding's `key`, with the subject behind a colon.
    """
    known, _, subject = str(code).partition(":")
    text = _titles.get(known)
    return str(code) if text is None else _fill(text, params or {"subject": subject})


def describe_all(findings: Iterable[Finding]) -> str:
    return " ".join(finding.sentence for finding in findings)


def _fill(text: Text, values: Mapping[str, Any]) -> str:
    return fill(text, values, shown=lambda value: str(_titles.get(value, value)))
