import json
import math

from mlops.evaluation.parameters import from_json, to_json


def test_a_half_life_of_all_time_survives_json():
    given = {"half_life_days": math.inf, "regularization": 200.0, "validation": "time", "metadata_weight": None}
    stored = json.loads(json.dumps(to_json(given), allow_nan=False))
    assert stored["half_life_days"] == "inf"
    assert from_json(stored) == given
