"""Smoke test of a saved model: `python -m mlops.registry.smoke_test ARTEFACT INPUT.json MAX_MEMORY_MB`.

A model that works in memory may still be broken on disk. The test runs in a separate process without Django, and
requests lists for histories as the site does. It prints one line of JSON with each check's outcome, and exits with code
0 if all checks passed.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from mlops.registry.smoke_checks import History, K, SmokeChecks, SmokeTestInput

# ESTIMATORS imports all code now, so that the memory limit and timings cover only the model.
from recommender.estimators import ESTIMATORS, Recommender, load_recommender  # noqa: F401


def examine(model: Recommender, given: SmokeTestInput) -> dict[str, Any]:
    checks = SmokeChecks(model, given)
    found: dict[str, Any] = {
        "checks": checks.run(),
        "errors": checks.errors,
        "algorithm": model.algorithm,
        "n_histories": len(given.histories),
    }
    if not checks.errors:
        found["liked_share"], found["n_liked"] = checks.liked_share()
        seconds = [_seconds(model, history) for history in checks.histories]
        found["latency_ms"] = round(1000 * float(np.median(seconds)), 3)
        found["latency_p95_ms"] = round(1000 * float(np.quantile(seconds, 0.95)), 3)
    return found


def peak_memory_mb() -> float:
    """Returns the peak memory of this process. `ru_maxrss` would include the peak of the parent process."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seconds(model: Recommender, history: History) -> float:
    started = time.perf_counter()
    model.recommend_for_history([history], k=K)
    return time.perf_counter() - started


def main(folder: str, given: str, max_memory_mb: str) -> int:
    # The limit covers private memory, not mapped files. A model that exceeds it cannot harm the host.
    limit = int(float(max_memory_mb) * (1 << 20))
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        test_input = SmokeTestInput.from_json(json.loads(Path(given).read_text(encoding="utf-8")))
        started = time.perf_counter()
        model = load_recommender(Path(folder), mmap=True)
        seconds = round(time.perf_counter() - started, 3)
        result = examine(model, test_input) | {"load_seconds": seconds, "memory_mb": round(peak_memory_mb())}
    except Exception as error:
        # A broken model may raise any exception. It becomes the result.
        result = {"checks": {"loads_and_answers": False}, "error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if all(result["checks"].values()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
