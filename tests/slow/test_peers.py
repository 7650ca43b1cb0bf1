"""The comparison with other endpoints, on made-up ratings: all take part, and the limit of services counts."""

import subprocess
import sys

import pytest

from tests.processes import ROOT, environment

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(900)]


def compare(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.peers", "--quick", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)


def test_all_take_part_and_limits_count(tmp_path):
    done = compare("--keep", str(tmp_path))
    assert done.returncode in (0, 1), done.stderr[-4000:]  # 1: so short a run says nothing about speed
    lines = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len([line for line in lines if "FastAPI" in line or "Movierec" in line]) >= 9, done.stdout
    for bar in ("errors of all participants", "loads with lost impressions"):
        [line] = [line for line in lines if bar in line]
        assert line.rstrip().endswith("yes |"), done.stdout

    limited = compare("--keep", str(tmp_path), "--only", "site", "--limit", "2/min")
    assert limited.returncode == 1
    assert "'429'" in limited.stderr
