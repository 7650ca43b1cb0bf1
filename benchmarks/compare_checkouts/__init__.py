"""Compares what two checkouts learn from the same data: artefacts, lists, the gate's metrics and decisions."""
