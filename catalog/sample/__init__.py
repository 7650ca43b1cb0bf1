"""The sample data of a new site: MovieLens if available, otherwise a generated catalogue."""
