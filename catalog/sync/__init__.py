"""Keeps the catalogue in sync with TMDB (`work.sync`)."""
