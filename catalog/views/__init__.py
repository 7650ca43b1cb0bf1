"""Pages of the catalogue; changes go through `catalog.services`."""
