"""The model registry: promotion, smoke tests and retention of versions, and their copies in MLflow and DVC."""
