"""Compares two small suites run by pytest and xdist."""

from pathlib import Path

import pytest

from benchmarks.compare_suites import main

pytestmark = pytest.mark.once


def checkout(root: Path, **tests: str) -> str:
    for name, body in tests.items():
        path = root / "tests" / f"test_{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"import os\n\n\ndef test_it():\n    {body}\n", encoding="utf-8")
    return str(root)


@pytest.fixture(autouse=True)
def _only_xdist(monkeypatch) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p xdist.plugin")


def test_tests_seconds_and_ratios_are_printed(tmp_path, capfd):
    embedded = "assert not os.environ['TEST_DATABASE_URL']"
    busy = "assert sum(range(10**7))"
    old = checkout(tmp_path / "old", a=embedded, b=embedded)
    new = checkout(tmp_path / "new", a=embedded, b=embedded, c=busy)

    assert main([old, new, "--only", "embedded"]) == 0

    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capfd.readouterr().out.splitlines()[2:]]
    (header, _, first, second) = (line for line in cells if line)
    before, after = dict(zip(header, first, strict=True)), dict(zip(header, second, strict=True))
    assert [(row["checkout"], row["tests"], row["failed"]) for row in (before, after)] == [
        ("old", "2", "0"),
        ("new", "3", "0"),
    ]
    assert float(before["CPU s"]) > 0
    assert float(after["new / old, CPU"]) == pytest.approx(float(after["CPU s"]) / float(before["CPU s"]), rel=0.2)


def test_a_failure_is_counted_and_ends_with_code_1(tmp_path, capfd):
    old, new = checkout(tmp_path / "old", a="pass"), checkout(tmp_path / "new", a="assert False")

    assert main([old, new, "--only", "embedded"]) == 1
    assert "| new      |     1 |      1 |" in capfd.readouterr().out


def test_a_file_that_one_of_them_lacks_is_named(tmp_path, capfd):
    old, new = checkout(tmp_path / "old", a="pass"), checkout(tmp_path / "new", b="pass")

    with pytest.raises(SystemExit):
        main([old, new, "tests/test_a.py"])
    assert f"{new} has no tests/test_a.py" in capfd.readouterr().err


def test_a_suite_that_cannot_be_run_ends_the_comparison(tmp_path):
    old, new = checkout(tmp_path / "old", a="pass"), checkout(tmp_path / "new", a="pass")
    (tmp_path / "new" / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", encoding="utf-8")

    with pytest.raises(SystemExit, match="new: pytest could not run the embedded tests"):
        main([old, new, "--only", "embedded"])
