"""Drift detection: compares ratings, shown lists and online metrics with an earlier window."""
