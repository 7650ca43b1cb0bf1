"""Measurements of the recommenders and of the site; nothing here is imported by the site."""
