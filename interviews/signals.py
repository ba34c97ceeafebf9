"""How this app reaches the ones above it: declared signals, sent inside the transaction."""

from django.dispatch import Signal

# Sent once for all that one statement stored: sender=HistoryEntry, entries=[…], each with its
# interview, which after an import knows no more than its own columns.
history_recorded = Signal()

# Somebody is about to begin an interview: sender=Sitting, sitting=…, not yet stored, with its
# interview, locked and not yet in progress; by=…, who. Receivers may move `resume_until`.
interview_entered = Signal()
