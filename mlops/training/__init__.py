"""Training runs: queue, pipeline and steps, progress, recovery, reproduction."""
