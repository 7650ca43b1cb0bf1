"""The catalogue's part of the API; what changes something calls `catalog.services`."""
