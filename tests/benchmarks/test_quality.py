"""Computes the tables on small generated data in the formats of the public data sets."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import diversity, fold_in
from benchmarks.data import movielens_metadata, movielens_ratings, movietweetings, tmdb_metadata
from benchmarks.progress import Progress
from benchmarks.quality import main
from benchmarks.tables import render

N_MOVIES = 24
DAY = 86_400


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    own = {user: 1 + rng.permutation(np.arange((user + 1) % 2, N_MOVIES, 2))[:9] for user in range(1, 41)}
    pairs = [(user, movie) for user in own for movie in [*own[user], 1 + (own[user][0] % N_MOVIES)]]
    write_movielens(folder / "ml-latest-small", pairs)
    write_movietweetings(folder / "movietweetings", pairs)
    document = {
        "id": 1001,
        "release_date": "1999-03-31",
        "genres": [{"id": 1, "name": "Science Fiction"}],
        "keywords": {"keywords": [{"id": 2, "name": "hacker"}]},
        "credits": {
            "cast": [{"name": "Second", "order": 1}, {"name": "First", "order": 0}],
            "crew": [{"name": "Lana", "job": "Director"}, {"name": "Joel", "job": "Producer"}],
        },
        "overview": "A hacker learns.",
        "original_language": "en",
    }
    with gzip.open(folder / "tmdb_movies.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.write(json.dumps(document) + "\n" + json.dumps({"id": 7}) + "\n")
    return folder


def write_movielens(folder, pairs):
    folder.mkdir()
    ratings = [f"{u},{m},{4.5 if u % 2 == m % 2 else 3.0},{n * DAY}" for n, (u, m) in enumerate(pairs)]
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "\n".join(ratings) + "\n")
    movies = [
        f'{m},"Movie, {m} (19{50 + m})",{"Comedy|Drama" if m % 2 else "(no genres listed)"}' for m in range(1, 25)
    ]
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "\n".join(movies) + "\n")
    (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n1,2,Funny,5\n2,2,funny,6\n2,2,dark,7\n")
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n1,1,1001\n2,2,\n")


def write_movietweetings(folder, pairs):
    folder.mkdir()
    ratings = [
        f"{u}::{m:07d}::{9 if u % 2 == m % 2 else 4}::{1362062307 + n * DAY // 8}" for n, (u, m) in enumerate(pairs)
    ]
    (folder / "ratings.dat").write_text("\n".join(ratings) + "\n")
    titles = [f"{m:07d}::Fantômas {m} (19{50 + m})::Crime|Drama" for m in range(1, 25)]
    (folder / "movies.dat").write_text("\n".join(titles) + "\n", encoding="utf-8")


def test_reads_movielens(folder):
    ratings = movielens_ratings(folder)
    assert len(ratings) == 400
    assert ratings["rated_at"].iloc[1] == pd.Timestamp("1970-01-02", tz="UTC")
    second = movielens_metadata(folder).set_index("movie_id").loc[2]
    assert second["title"] == "Movie, 2"
    assert second["release_date"] == pd.Timestamp("1952-01-01")
    assert second["genres"] == []
    assert second["keywords"] == ["dark", "funny"]


def test_reads_tmdb_documents_and_falls_back_to_movielens(folder):
    movies = tmdb_metadata(folder).set_index("movie_id")
    assert movies.loc[1, "cast"] == ["First", "Second"]
    assert movies.loc[1, "directors"] == ["Lana"]
    assert movies.loc[1, "release_date"] == pd.Timestamp("1999-03-31")
    assert movies.loc[1, "keywords"] == ["hacker"]
    assert movies.loc[3, "genres"] == ["Comedy", "Drama"]
    assert len(movies) == N_MOVIES


def test_reads_movietweetings(folder):
    ratings, movies = movietweetings(folder)
    assert ratings["rating"].isin([4, 9]).all()
    assert movies.loc[0, "title"] == "Fantômas 1"
    assert movies.loc[0, "release_date"].year == 1951


def test_prints_every_table_and_keeps_it(folder, tmp_path, capsys):
    kept = tmp_path / "tables.json"
    main(["--data", str(folder), "--estimators", "popularity", "item_knn", "content", "--quick", "--json", str(kept)])
    printed = capsys.readouterr().out
    tables = json.loads(kept.read_text())["tables"]
    titles = [table["title"][:2] for table in tables]
    assert titles[:5] == ["A.", "B.", "C.", "C ", "D."]
    assert set(titles[5:]) == {"D:"}
    for table in tables:
        assert table["title"] in printed
    warm, cold, later = ({row["model"]: row for row in table["rows"]} for table in tables[:3])
    assert warm.keys() == {"popular, all time", "popularity", "item_knn", "content"}
    assert warm["item_knn"]["nDCG@10"] > warm["popular, all time"]["nDCG@10"]
    assert "- item_knn chose shrinkage " in printed
    assert cold["item_knn"]["note"] == "cannot score new movies"
    assert 0 <= cold["content"]["AUC"] <= 1
    assert later["popular, half-life 2 d"]["less half-life 2 d, 95 %"] is None
    assert "n=" in later["item_knn"]["less half-life 2 d, 95 %"]


def test_a_wrong_folder_is_named(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main(["--data", str(tmp_path / "nowhere")])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit, match=r"ratings\.csv: no such file"):
        main(["--data", str(tmp_path), "--protocol", "A"])


def test_tables_are_aligned_markdown():
    text = render(
        "Title", [{"model": "a", "n": 1, "x": 0.12345}, {"model": "bcd", "n": 20, "x": float("nan")}], {"x": 2}
    )
    assert text.splitlines() == [
        "### Title",
        "",
        "| model |  n |    x |",
        "| ----- | -- | ---- |",
        "| a     |  1 | 0.12 |",
        "| bcd   | 20 |    - |",
    ]


def test_folds_in_users_that_training_left_out(folder):
    with Progress(fold_in.N_FITS) as progress:
        (_, by_count), (_, (both_ways,)) = fold_in.run(folder, "MovieLens", progress)
    assert [row["ratings"] for row in by_count] == [1, 2, 5, 20, "all"]
    known_more = [row["hybrid nDCG@10"] for row in by_count]
    assert known_more[-1] > known_more[0]
    assert known_more[-1] > by_count[-1]["popular nDCG@10"]
    assert both_ways["folded in nDCG@10"] == both_ways["trained nDCG@10"]


def test_measures_what_diverse_lists_cost(folder):
    with Progress(diversity.N_FITS) as progress:
        _, rows = diversity.run(folder, "MovieLens", progress)
    assert [row["strength"] for row in rows] == [f"{strength:g}" for strength in diversity.STRENGTHS]
    plain = rows[0]
    assert (plain["change, %"], plain["more, %"], plain["of it, %"], plain["nDCG less plain, 95 %"]) == (0, 0, 0, None)
    assert all(0 < row["diversity, by raters"] < 1 for row in rows)
