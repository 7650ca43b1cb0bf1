"""Monitoring: drift, online metrics, skew, staleness, dependencies, alerts, auto-rollback and retraining criteria."""
