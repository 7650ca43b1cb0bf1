"""Model versions and their artefacts: promotion, smoke test, retention, and the mirrors in MLflow and DVC."""
