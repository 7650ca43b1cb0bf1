"""Signals that the catalogue sends; it knows no listeners."""

from django.dispatch import Signal

# Sent after a rating was recorded or removed: user_id, movie_id, rating (None when removed).
rating_recorded = Signal()

# Sent when a sync with a provider has ended: source, and what stopped it early (empty if nothing did).
sync_ended = Signal()

# Sent within the transaction that removed all data of a provider: source (a value of catalog.models.Source).
provider_purged = Signal()

# Sent when a request came with an API key whose last use, as recorded, is a minute ago or more: key_id, at.
key_used = Signal()

# Sent when a worker has loaded the sample that was chosen on the page of the first run: user_id.
sample_loaded = Signal()

# Sent when Redis could not count a request.
counter_failed = Signal()
