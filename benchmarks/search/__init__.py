"""Measures the latency and quality of search and browsing in a large catalogue."""
