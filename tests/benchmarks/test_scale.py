"""Runs the growth benchmark on sizes that take seconds."""

import numpy as np
import pytest

from benchmarks.latency import measure as measure_latency
from benchmarks.scale import exponents, main
from benchmarks.scale_data import Size, generate


def test_generated_ratings_are_unique_ordered_and_long_tailed():
    size = Size.of(20_000)
    ratings, movies = generate(size)

    assert (len(ratings), len(movies)) == (20_000, size.movies)
    assert not ratings.duplicated(["user_id", "movie_id"]).any()
    assert ratings["rated_at"].is_monotonic_increasing
    assert ratings["rating"].between(0.5, 5).all()
    counts = np.sort(ratings["movie_id"].value_counts().to_numpy())[::-1]
    assert counts[: len(counts) // 10].sum() > 0.4 * len(ratings)
    again, _ = generate(size)
    assert ratings.equals(again)


def test_an_exponent_is_the_slope_between_sizes():
    rows = [{"part": "x", "ratings": n, "fit CPU s": 3e-6 * n**1.5, "peak MB": 500} for n in (10**4, 10**5, 10**6)]
    rows.append({"part": "x", "ratings": 10**7, "note": "ended with code -9"})

    found = next(iter(exponents(rows)))

    assert found["sizes"] == 3
    assert found["fit CPU s"] == pytest.approx(1.5)
    assert found["peak MB"] == pytest.approx(0)


def test_the_tables_hold_every_part_and_size(capsys):
    main(["--ratings", "3000", "6000", "--estimators", "popularity", "--export", "3000"])

    text = capsys.readouterr().out
    assert "Export of a snapshot from SQLite" in text
    assert text.count("| popularity |") == 3  # two sizes and the exponents
    assert "ended with code" not in text


def test_latency_is_that_of_lists_from_a_loaded_model():
    row = measure_latency(500, 10)

    assert row["movies"] == 500
    assert 0 < row["CPU ms"] < row["p99 ms"] + 1000
    assert row["p50 ms"] <= row["p99 ms"]
