"""Comparison of models on the same later data: paired intervals, hyper-parameters, lineage."""
