"""Pages of the catalogue. Changes go through `catalog.services`."""
