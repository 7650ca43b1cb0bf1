"""Writes imported movies: finds each movie, sets its fields by policy, and writes its links. No other code does so."""
