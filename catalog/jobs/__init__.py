"""Background jobs: syncs, imports and trainings.

A job is queued, claimed by a worker, kept alive by heartbeats, and ended. If its worker is lost, it is queued again.
"""
