"""What an existing site brings: movies, users and ratings by its own ids, any number of times.

A request is lines of JSON. Each line is checked by itself (`lines`), what is right is written (`movies`, `users`,
`ratings`), and the rest is reported with its number and the reason. A request that breaks off is simply sent again.
"""

from catalog.ingest.bulk.lines import MovieLine, RatingLine, UserLine, read_lines
from catalog.ingest.bulk.movies import upsert_movies
from catalog.ingest.bulk.ratings import upsert_ratings
from catalog.ingest.bulk.report import BulkReport
from catalog.ingest.bulk.users import upsert_users

__all__ = [
    "BulkReport",
    "MovieLine",
    "RatingLine",
    "UserLine",
    "read_lines",
    "upsert_movies",
    "upsert_ratings",
    "upsert_users",
]
