"""Compares the results of two checkouts on the same data: artefacts, lists, the gate's metrics and decisions."""
