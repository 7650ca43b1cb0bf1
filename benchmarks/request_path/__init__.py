"""Measures the CPU time of one response, and compares the responses of two checkouts."""
