"""Title search, shared by the pages, suggestions, the API and the admin.

Ignores case, accents, punctuation and missing spaces. The last word may be incomplete. If few movies match the words as
typed, terms one letter away match too.
"""
