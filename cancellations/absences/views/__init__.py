"""Absences at the desk, and the record in the portal."""
