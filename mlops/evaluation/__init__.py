"""Comparison of models on the same later data, with paired intervals, hyper-parameters and lineage."""
