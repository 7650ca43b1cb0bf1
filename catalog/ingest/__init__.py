"""The only code that writes imported movies: it finds the movie, sets its fields by policy, and writes its links."""
