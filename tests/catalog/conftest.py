from tests.tmdb_fixtures import tmdb, tmdb_policy

__all__ = ["tmdb", "tmdb_policy"]
