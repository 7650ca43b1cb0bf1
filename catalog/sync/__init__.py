"""Keeps the catalogue in sync with TMDB (`work.sync`) and removes TMDB's content again (`removal`)."""
