"""Training runs: their queue, pipeline, steps, progress, recovery and reproduction."""
