"""Keeps the catalogue in step with TMDB; `runs.sync` does it, `removal` takes TMDB's content out again."""
