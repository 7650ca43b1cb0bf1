"""Chaos tests and the demo, on a complete test site with its own servers and a load generator."""
