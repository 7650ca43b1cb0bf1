"""Has the world changed since before? Statistics on ratings, on what was shown, and on what came of it."""
