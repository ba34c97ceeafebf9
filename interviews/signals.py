"""How this app reaches the ones above it: declared signals, sent inside the transaction."""

from django.dispatch import Signal

# Sent once for each stored history entry: sender=HistoryEntry, entry=…, interview=…
history_recorded = Signal()
