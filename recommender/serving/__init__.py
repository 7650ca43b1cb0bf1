"""The request path: from a user's profile to a list, with the models, counts and impressions behind it."""
