"""Fits EASE on MovieLens' ratings and registers it in an MLflow store in PEER_DIR. Also writes all histories to a file.

Reads SHARED_DATA/ml-latest-small/ratings.csv. Started by benchmarks.peers in PEER_DIR.
"""

import json
import os
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

LIKED, REGULARIZATION = 3.5, 200.0
folder = Path(os.environ["PEER_DIR"])

ratings = pd.read_csv(Path(os.environ["SHARED_DATA"]) / "ml-latest-small" / "ratings.csv")
liked = ratings[ratings["rating"] >= LIKED]
movies, columns = np.unique(liked["movieId"], return_inverse=True)
rows = liked["userId"].factorize()[0]
matrix = csr_matrix((np.ones(len(liked)), (rows, columns)))
inverse = np.linalg.inv((matrix.T @ matrix).toarray() + REGULARIZATION * np.eye(len(movies)))
weights = -inverse / np.diag(inverse)
np.fill_diagonal(weights, 0.0)

np.save(folder / "weights.npy", weights.astype(np.float32))
np.save(folder / "movies.npy", movies)
histories = {int(user): group["movieId"].tolist() for user, group in liked.groupby("userId")}
(folder / "histories.json").write_text(json.dumps(histories), encoding="utf-8")

mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
with mlflow.start_run():
    mlflow.pyfunc.log_model(
        name="model",
        python_model=str(Path(__file__).with_name("model.py")),
        artifacts={name: str(folder / f"{name}.npy") for name in ("weights", "movies")},
        registered_model_name="recommender",
        pip_requirements=[],
    )
mlflow.MlflowClient().set_registered_model_alias("recommender", "production", "1")
