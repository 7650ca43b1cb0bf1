"""Signals sent by the catalogue. It does not depend on their receivers."""

from django.dispatch import Signal

# Sent after a rating was recorded or removed: user_id, movie_id, rating (None if removed).
rating_recorded = Signal()

# Sent when a sync with a provider has ended: source, and the reason if it stopped early (otherwise empty).
sync_ended = Signal()

# Sent in the transaction that removed all data of a provider: source (a value of catalog.models.Source).
provider_purged = Signal()

# Sent for a request with an API key whose recorded last use is at least a minute ago: key_id, at.
key_used = Signal()

# Sent when a worker has loaded the sample chosen on the page of the first run: user_id.
sample_loaded = Signal()

# Sent when Redis could not count a request.
counter_failed = Signal()
