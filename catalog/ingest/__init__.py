"""The one way in for movies: find a movie, write its fields by policy, write its links."""
