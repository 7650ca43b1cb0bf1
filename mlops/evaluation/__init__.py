"""Compares models on the same later data, with paired intervals. Also holds hyper-parameters and lineage."""
