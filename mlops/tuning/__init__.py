"""The search for hyper-parameters, and what becomes of what it finds."""
