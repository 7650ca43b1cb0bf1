"""Import and export of people's own ratings, viewings and watchlists."""
