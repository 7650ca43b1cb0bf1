"""What the catalogue tells whoever listens; it knows of no listener."""

from django.dispatch import Signal

# Sent after a rating was recorded or removed: user_id, movie_id, rating (None when removed).
rating_recorded = Signal()
