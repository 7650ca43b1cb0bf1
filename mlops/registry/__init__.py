"""The model registry: promotion, smoke tests and retention of versions, and their mirrors in MLflow and DVC."""
