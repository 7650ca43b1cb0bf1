"""Progress of long work: a bar in a terminal, lines elsewhere."""

import pytest

from catalog import progress
from catalog.progress import ProgressLines, chunks_with_progress, progress_bar


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time, which a test sets."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_without_a_terminal_there_is_a_line_every_ten_seconds(clock, capsys):
    with progress_bar(total=1, bar_format="{bar}| {elapsed} {desc}") as bar:
        for second in range(61):
            clock[0] = 100.0 + second
            bar.n = second / 60
            bar.set_description_str(f"fit, {second} s")

    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[2] for line in lines] == [f"fit, {second} s" for second in range(10, 61, 10)]


def test_short_work_says_nothing(capsys):
    assert list(chunks_with_progress(list(range(5000)), 100, description="Writing", unit=" rows", shown=True))

    assert capsys.readouterr() == ("", "")


def test_a_line_says_how_much_is_done(clock, capsys):
    with progress_bar(total=2000, description="Writing movies", unit=" movies") as bar:
        assert isinstance(bar, ProgressLines)
        clock[0] += 11
        bar.n = 500
        bar.refresh()

    assert "Writing movies: 25%, 500 of 2.00k" in capsys.readouterr().err


def test_what_is_not_shown_says_nothing(clock, capsys):
    with progress_bar(total=10, shown=False) as bar:
        clock[0] += 100
        bar.update(5)

    assert capsys.readouterr().err == ""
