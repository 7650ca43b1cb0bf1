"""The request path from a user's profile to a list, with the served models, serving stats and impressions."""
