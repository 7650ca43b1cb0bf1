"""Training data: snapshots and their files, pseudonyms, schemas and checks, quarantine, erasure, test evidence."""
