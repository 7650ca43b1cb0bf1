"""Benchmarks of the recommenders and of the site. The site does not import them."""
