"""Title search, shared by the pages, suggestions, the API and the admin.

Case, accents, punctuation and missing spaces are ignored, and the last word may be incomplete. If few movies match the
words as typed, terms one letter away match too.
"""
