"""Rates that have crossed their threshold, why that may be, and when it is over."""
