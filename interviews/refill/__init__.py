"""Refilling: who waits for a time, which places came free, and to whom each is offered in turn."""
