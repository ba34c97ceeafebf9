"""Which appointments may need help, so that HR can offer it in time."""
