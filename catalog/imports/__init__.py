"""Import and export of users' own ratings, viewings and watchlists."""
