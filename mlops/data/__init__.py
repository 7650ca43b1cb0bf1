"""Training data: snapshots and their files, pseudonyms, data checks, quarantine, erasure and test evidence."""
