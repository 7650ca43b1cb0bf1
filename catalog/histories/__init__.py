"""What people saw and rated on other sites: read from its files, matched to the catalogue, imported; and back out."""
