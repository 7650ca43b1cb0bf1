"""Metric files on a disk that rejects writes. The process keeps counting and writes the counts later."""

import errno
import os
import resource
import runpy
import struct
import subprocess
import sys

import httpx
import pytest
from prometheus_client.mmap_dict import MmapedDict

from movierec import metric_files
from movierec.metric_files import MetricFile, MetricReader
from tests.movierec.test_metrics import TOKEN, samples
from tests.processes import ROOT, site, wait_for


@pytest.fixture
def refuse(monkeypatch):
    """Switches writes off with an error, and on with None; a write that was cut is `errno.ENOSPC` too."""
    pwrite = os.pwrite
    state = {"error": None}

    def refusing(descriptor, content, start):
        if state["error"]:
            raise OSError(state["error"], os.strerror(state["error"]))
        return pwrite(descriptor, content, start)

    monkeypatch.setattr(metric_files.os, "pwrite", refusing)
    monkeypatch.setattr(metric_files, "RETRY_SECONDS", 0.0)
    return lambda error: state.update(error=error)


def read(path) -> dict[str, float]:
    """As /metrics reads the files."""
    return {key: value for key, value, _, _ in MmapedDict.read_all_values_from_file(path)}


def test_what_is_written_is_what_prometheus_reads(tmp_path):
    path = tmp_path / "counter_1.db"
    file = MetricFile(str(path))
    for number in range(2000):  # more than a page
        file.write_value(f"metric {number} é", number / 2, 0.0)
    file.write_value("metric 7 é", 99.0, 5.0)
    assert file.read_value("metric 7 é") == (99.0, 5.0)
    assert read(path) == {f"metric {number} é": number / 2 for number in range(2000)} | {"metric 7 é": 99.0}
    file.close()
    former = read(path)
    again = MetricFile(str(path))  # a process with the number of an earlier one
    assert read(path) == former
    again.write_value("metric 8 é", 1.0, 0.0)
    assert read(path) == former | {"metric 8 é": 1.0}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_refused_writes_cost_no_count_and_are_said_once(tmp_path, refuse, caplog, error):
    counters, gauges = tmp_path / "counter_1.db", tmp_path / "gauge_all_1.db"
    first, second = MetricFile(str(counters)), MetricFile(str(gauges))
    first.write_value("a", 1.0, 0.0)
    refuse(error)
    for value in (2.0, 3.0):
        first.write_value("a", value, 0.0)
        first.write_value(f"new {value}", value, 0.0)
        second.write_value("b", value, 0.0)
    assert first.read_value("a") == (3.0, 0.0)
    assert read(counters) == {"a": 1.0}  # old, and whole
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    refuse(None)
    first.write_value("a", 4.0, 0.0)
    second.write_value("b", 4.0, 0.0)
    assert read(counters) == {"a": 4.0, "new 2.0": 2.0, "new 3.0": 3.0}
    assert read(gauges) == {"b": 4.0}
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert {path.name for path in tmp_path.iterdir()} == {counters.name, gauges.name}


def test_what_is_read_again_is_what_prometheus_reads(tmp_path):
    path = tmp_path / "counter_1.db"
    file = MetricFile(str(path))
    assert list(MetricReader.read_all_values_from_file(str(path))) == []
    for number in range(2000):
        file.write_value(f"metric {number % 700} é", number / 2, 5.0)
        if number % 300 == 0:
            expected = list(MmapedDict.read_all_values_from_file(path))
            assert list(MetricReader.read_all_values_from_file(str(path))) == expected
    path.unlink()
    with pytest.raises(FileNotFoundError):
        MetricReader.read_all_values_from_file(str(path))
    MetricFile(str(path)).write_value("of another process", 1.0, 0.0)
    assert [key for key, *_ in MetricReader.read_all_values_from_file(str(path))] == ["of another process"]


@pytest.mark.parametrize("content", [b"", b"\x00", struct.pack("i", 4000) + b"\xff" * 400])
def test_a_damaged_file_of_an_earlier_process_is_replaced(tmp_path, content):
    path = tmp_path / "counter_1.db"
    path.write_bytes(content)
    MetricFile(str(path)).write_value("a", 1.0, 0.0)
    assert read(path)["a"] == 1.0


def test_a_limit_of_the_system_ends_no_process(tmp_path):
    """A real refusal: the last write before the limit is cut, those after it fail."""
    limit = 10_000
    program = (
        "from movierec.metric_files import install\n"
        "install()\n"
        "from prometheus_client import Counter\n"
        "counter = Counter('test', 'of a limit', ['number'])\n"
        "for number in range(500):\n    counter.labels(str(number)).inc()\n"
        "print(sum(sample.value for sample in counter.collect()[0].samples if sample.name == 'test_total'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "500.0\n", done.stderr
    [file] = tmp_path.iterdir()
    assert 20 < len(read(file)) < 500
    assert file.stat().st_size <= limit


def test_a_start_deletes_the_metrics_of_the_last_run_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    others = {"movies.db", "movies_7.db", "counter_7.txt", "upload.part"}
    for name in others | {"counter_7.db", "gauge_liveall_7.db", "histogram_12.part"}:
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    runpy.run_path(str(ROOT / "deploy" / "gunicorn.py"))["delete_metrics"](tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == others | {"folder"}


@pytest.mark.slow
def test_a_site_serves_without_metrics_and_finds_them_again(transactional_db, tmp_path):
    """A file stands where the folder's parent should: every write fails, as on a full or read-only disk."""
    log, blocker = tmp_path / "web.log", tmp_path / "disk"
    blocker.touch()
    with site(log=log, workers=2, PROMETHEUS_MULTIPROC_DIR=str(blocker / "prometheus")) as address:
        for path, headers in (("/healthz", {}), ("/api/v1/movies/", {}), ("/metrics", TOKEN)):
            assert httpx.get(address + path, headers=headers, timeout=30).status_code == 200, path
        blocker.unlink()

        def are_back() -> bool:
            httpx.get(f"{address}/healthz")
            text = httpx.get(f"{address}/metrics", headers=TOKEN, timeout=30).text
            return samples(text, "django_http_requests_before_middlewares_total").get((), 0) > 20

        wait_for(are_back, seconds=60, what="the metrics", pause=0.1)
    assert "Metrics of this process are missing" in log.read_text()
    assert "Worker (pid" not in log.read_text()
