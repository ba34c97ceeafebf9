"""What stands out in the figures, what was done about it, and whether it got better since."""
