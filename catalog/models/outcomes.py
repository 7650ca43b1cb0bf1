"""Outcomes of jobs: stable codes, each with a sentence to display."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.sentences import fill


class Outcome(TextChoices):
    """Outcomes shared by all kinds of jobs. A kind adds its own with `add_sentences`."""

    WORKER_LOST = "worker_lost", _("The worker stopped before the job finished. Its last heartbeat was at {since} UTC.")
    HEARTBEAT_LOST = (
        "heartbeat_lost",
        _("No heartbeat since {since} UTC. The worker has stopped or cannot reach the database."),
    )
    OUT_OF_TIME = "out_of_time", _("The job exceeded its time limit of {seconds:,.0f} seconds.")
    CANCELLED = "cancelled", _("Cancelled on request.")
    CANCELLED_BEFORE_START = "cancelled_before_start", _("Cancelled before it started.")
    INTERRUPTED = "interrupted", _("Interrupted by the keyboard or a signal.")
    DATABASE = "database", _("Database error: {error}")
    BUG = "bug", "{error}"


Sentence = Promise | str | Callable[[Mapping[str, Any]], str]
_sentences: dict[str, Sentence] = dict(Outcome.choices)


def add_sentences(sentences: Mapping[str, Sentence]) -> None:
    """Registers sentences by code. A sentence is a string with placeholders, or a function of the details."""
    _sentences.update(sentences)


def sentence(outcome: str, details: Mapping[str, Any]) -> str:
    """Returns the sentence for an outcome's code.

    Only the code is stored, so that sentences can be reworded and translated. An unknown code, written by a later
    version, is returned unchanged.
    """
    found = _sentences.get(outcome, outcome)
    return found(details) if callable(found) else fill(found, details)
