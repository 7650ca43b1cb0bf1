"""The part of the contract on new movies and saving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from recommender.estimators import ESTIMATORS, ArtifactError, artifact_checksum, load_recommender
from tests.artefact_files import flip_bit, rewrite_manifest
from tests.recommender.estimators.fitted_models import (
    MOVIES,
    assert_same_answers,
    fitted,
)


class ArtefactContract:
    # -- new movies ----------------------------------------------------------------------------------------------

    def test_takes_movies_in_after_fit(self, algorithm: str) -> None:
        model = fitted(algorithm)
        new = pd.DataFrame({"movie_id": [3, 5], "title": ["New War", "New Wedding"], "genres": [["War"], ["Comedy"]]})
        grown = model.with_movies(new)
        scores = grown.score_candidates([100, 5], [*MOVIES, 5, 3])
        assert np.isfinite(scores).all()
        np.testing.assert_allclose(scores[:, : len(MOVIES)], model.score_candidates([100, 5], MOVIES), atol=1e-6)
        assert set(grown.recommend([100], candidates=[3, 5])["movie_id"]) == {3, 5}
        assert len(grown.recommend_for_history([{3: 5.0}], k=4)) == 4
        assert grown.predict_ratings([100], [3]).shape == (1, 1)
        with pytest.raises(ValueError, match="unknown movie"):
            model.score_candidates([100], [3])
        for ask in (
            lambda one: one.recommend([100, 5], k=7),  # the new ones are no candidates unless named
            lambda one: one.recommend_for_history([{0: 5.0, 14: 4.5}, {}], k=7),
            lambda one: one.explain(100, 7),
        ):
            assert_frame_equal(ask(model), ask(grown), rtol=1e-5, atol=1e-6)

    def test_new_movies_are_kept_on_saving(self, algorithm: str, tmp_path: Path) -> None:
        grown = fitted(algorithm).with_movies(pd.DataFrame({"movie_id": [3], "genres": [["War"]]}))
        grown.save(tmp_path / "model")
        loaded = load_recommender(tmp_path / "model")
        np.testing.assert_array_equal(grown.score_candidates([100], [3, 7]), loaded.score_candidates([100], [3, 7]))

    def test_refuses_new_movies_with_ids_of_another_type(self, algorithm: str) -> None:
        with pytest.raises(ValueError, match="movie_id: ids must be all ints or all strings"):
            fitted(algorithm).with_movies(pd.DataFrame({"movie_id": ["tt1"]}))

    # -- saving --------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("mmap", [True, False])
    def test_saving_and_loading_changes_nothing(self, algorithm: str, tmp_path: Path, mmap: bool) -> None:
        fitted(algorithm).save(tmp_path / "model")
        loaded = load_recommender(tmp_path / "model", mmap=mmap)
        assert type(loaded) is ESTIMATORS[algorithm]
        assert loaded.config == fitted(algorithm).config
        assert_same_answers(fitted(algorithm), loaded)
        loaded.save(tmp_path / "again")
        assert artifact_checksum(tmp_path / "again") == artifact_checksum(tmp_path / "model")

    def test_saves_no_pickle(self, algorithm: str, tmp_path: Path) -> None:
        fitted(algorithm).save(tmp_path / "model")
        for path in (tmp_path / "model").iterdir():
            assert path.suffix in (".json", ".npy")
            if path.suffix == ".npy":
                np.load(path, allow_pickle=False)

    def test_refuses_a_changed_a_missing_and_a_newer_artefact(self, algorithm: str, tmp_path: Path) -> None:
        folder = tmp_path / "model"
        fitted(algorithm).save(folder)
        rewrite_manifest(folder, format_version=999)
        with pytest.raises(ArtifactError, match="format version 999 is newer"):
            load_recommender(folder)
        fitted(algorithm).save(folder)
        for path in sorted(folder.glob("*.npy")):
            content = flip_bit(path)
            with pytest.raises(ArtifactError, match="does not match"):
                load_recommender(folder)
            path.unlink()
            with pytest.raises(ArtifactError, match="missing"):
                load_recommender(folder)
            path.write_bytes(content)
        assert_same_answers(fitted(algorithm), load_recommender(folder))
