"""New releases in lists without a training."""
