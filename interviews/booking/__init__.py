"""Invitations, booking and moving, and the times there are to book."""
