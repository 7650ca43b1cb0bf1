"""This site against the endpoints that people write without it, each under the same load."""
