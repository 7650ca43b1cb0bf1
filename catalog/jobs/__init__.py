"""One life for background work: queued, claimed, kept alive by heartbeats, ended, requeued when its worker is lost."""
