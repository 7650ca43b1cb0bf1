"""What people watch and rate in media servers, sent by these to a secret address of each user."""
