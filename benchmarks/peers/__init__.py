"""Compares this site with typical hand-written endpoints under the same load."""
