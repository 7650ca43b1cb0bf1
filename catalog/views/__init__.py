"""Pages of the catalogue; what changes something calls `catalog.services`."""
