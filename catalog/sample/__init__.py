"""The sample a new site starts with: MovieLens where it can be had, else a generated catalogue."""
