"""A minimal, typical recommendation endpoint: FastAPI, an MLflow model, histories in memory, only ids."""

import json
import os
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
import threadpoolctl
from fastapi import FastAPI

folder = Path(os.environ["PEER_DIR"])
threadpoolctl.threadpool_limits(1)
mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
model = mlflow.pyfunc.load_model("models:/recommender@production")
histories = {
    int(user): history for user, history in json.loads((folder / "histories.json").read_text(encoding="utf-8")).items()
}
app = FastAPI()


@app.post("/recommend")
async def recommend(user_id: int, num_recommendations: int = 10) -> dict[str, list[int]]:
    lists = model.predict(pd.DataFrame({"history": [histories.get(user_id, [])]}))
    return {"recommendations": lists[0][:num_recommendations]}
