"""Followed sources: users' profiles and files at other sites, from which new rows are imported regularly."""
