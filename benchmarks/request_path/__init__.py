"""What one answer costs in processor time, and whether two checkouts give the same answers."""
