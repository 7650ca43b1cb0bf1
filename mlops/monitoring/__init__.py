"""The site at work: drift, online metrics, skew, staleness, dependencies, alerts, roll-back, retraining triggers."""
