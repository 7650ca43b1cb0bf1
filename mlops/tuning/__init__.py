"""Searches for hyper-parameters, and the adoption of their results for trainings."""
