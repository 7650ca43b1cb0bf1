"""Background jobs: syncs, imports and trainings.

A job is queued, claimed by a worker, kept alive by heartbeats and ended; it is queued again when its worker is lost.
"""
