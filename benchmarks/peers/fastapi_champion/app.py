"""The site's champion behind the same endpoint: FastAPI, `mlflow.pyfunc`, histories in memory, only ids."""

import json
import os
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
import threadpoolctl
from fastapi import FastAPI

threadpoolctl.threadpool_limits(1)
model = mlflow.pyfunc.load_model(os.environ["MODEL"])
histories = {
    int(user): history
    for user, history in json.loads(Path(os.environ["HISTORIES"]).read_text(encoding="utf-8")).items()
}
app = FastAPI()


@app.post("/recommend")
async def recommend(user_id: int, num_recommendations: int = 10) -> dict[str, list[int]]:
    found = model.predict(pd.DataFrame({"history": [histories[user_id]]}), params={"k": num_recommendations})
    return {"recommendations": found["movie_id"].tolist()}
