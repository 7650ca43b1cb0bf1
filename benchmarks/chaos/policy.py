"""Policies of a test site."""

from __future__ import annotations

from benchmarks.checkout import Sections

QUICK: Sections = {  # trains in seconds with the same rules; without latency limits, because the machine may be busy
    "training": {
        "algorithm": "ease",
        "parameters": {"ease": {"regularization": 100}},
        "heartbeat_seconds": 2,
        "retry_after_seconds": 2,
    },
    "evaluation": {"cuts": [0.8], "half_lives_days": [30], "bootstrap_resamples": 1000},
    "gate": {"max_latency_ms": 5000, "replay_latency_floor_ms": 5000},
    "auto_rollback": {"max_latency_ms": 60_000, "latency_floor_ms": 60_000},
    "limits": {"anonymous": "100000/min", "user": "100000/min"},
}


def merged(base: Sections, changes: Sections) -> Sections:
    return {name: {**base.get(name, {}), **changes.get(name, {})} for name in {*base, *changes}}
