"""Being kept for later positions: with consent, and out again at any time."""
