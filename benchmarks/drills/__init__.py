"""A whole installation of its own, started on free ports: killed part by part in `drill`, lived through in `story`."""
