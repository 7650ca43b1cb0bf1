"""Hyper-parameter searches, and the adoption of their results for trainings."""
