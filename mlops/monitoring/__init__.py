"""Monitoring: drift, online metrics, skew, staleness, dependencies, alerts, auto-rollback, retraining criteria."""
