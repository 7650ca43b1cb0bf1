"""Findings: the result of one check as a stable code with its figures.

Rows and files store `Finding.to_dict()`. Code compares `code`, `message` and `outcome`, never a sentence. Each package
defines its codes in a module `codes.py` as TextChoices, whose labels are short titles. It registers them here together
with the sentences. Titles and sentences are gettext messages with the named placeholders `subject`, `figure`,
`threshold`, `low`, `high`, every key of `params` and, in sentences, `title`. If a value is itself a code, its title is
shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.sentences import fill

Text = str | Promise

LEGACY = "legacy"  # a row from before codes existed; its params `name` and `text` are shown unchanged


class Outcome(TextChoices):
    PASSED = "passed", _("passed")
    FAILED = "failed", _("failed")
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence", _("not enough evidence")
    NOT_JUDGED = "not_judged", _("not evaluated")
    OK = "ok", _("ok")
    WARN = "warn", _("warning")
    ALERT = "alert", _("alert")
    INSUFFICIENT_DATA = "insufficient_data", _("insufficient data")

    @classmethod
    def alert_if(cls, is_bad: bool) -> "Outcome":
        return cls.ALERT if is_bad else cls.OK


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    `code` identifies the check. `subject` identifies its object, such as one of many slices. `message` is the code of
    the sentence to show; if it is empty, the sentence of `code` is shown.
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
        """Returns the finding as a JSON object, with codes as plain strings."""
        return asdict(self) | {"code": str(self.code), "outcome": str(self.outcome), "message": str(self.message)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """Creates the finding from a stored row. Ignores unknown keys, which a later version may have written."""
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
        """Returns a sentence about the result in the reader's language, or the title if the check has no sentence."""
        text = _sentences.get(str(self.message)) or _sentences.get(str(self.code))
        return self.title if text is None else _fill(text, {"title": self.title, **self._values()})

    def get_outcome_display(self) -> str:
        """Returns the outcome's label, like Django's method of this name. Returns an unknown outcome unchanged."""
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
    """Registers titles by code, and sentences by code or message. The labels of `codes` are also titles."""
    _titles.update({code.value: code.label for code in codes} | dict(titles or {}))
    _sentences.update({str(code): text for code, text in (sentences or {}).items()})


def title(code: str, params: Mapping[str, Any] | None = None) -> str:
    """Returns the short name of a check in the reader's language, or the code itself if it is unknown.

    `code` may be a finding's `key`, which has the subject after a colon.
    """
    known, _, subject = str(code).partition(":")
    text = _titles.get(known)
    return str(code) if text is None else _fill(text, params or {"subject": subject})


def describe_all(findings: Iterable[Finding]) -> str:
    return " ".join(finding.sentence for finding in findings)


def _fill(text: Text, values: Mapping[str, Any]) -> str:
    return fill(text, values, shown=lambda value: str(_titles.get(value, value)))
