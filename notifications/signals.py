"""What apps above are told of."""

from django.dispatch import Signal

# An open work item came to one of its times: `item`, and `step` "remind" or "escalate". Sent in the
# transaction that marks the step as taken, before it does so: who listens locks what the item is
# about first. Where the item turns out to be closed by then, all of it is rolled back.
work_step_reached = Signal()

# A webhook was switched off because nothing arrived there for days: `webhook`. Sent in the
# transaction that switches it off.
webhook_switched_off = Signal()
