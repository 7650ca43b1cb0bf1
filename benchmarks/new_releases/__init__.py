"""Measures new releases in lists without a training."""
