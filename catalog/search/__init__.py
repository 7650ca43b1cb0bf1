"""Title search, the same for pages, suggestions, API and admin.

Case, accents, punctuation and missing spaces do not matter, and the last word may be incomplete. If few movies match
the words as written, words one letter away match too.
"""
