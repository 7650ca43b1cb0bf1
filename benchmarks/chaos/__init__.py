"""Chaos tests and the demo: a complete test site on free ports, with its own servers and a load generator."""
