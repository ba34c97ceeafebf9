"""What apps above are told of."""

from django.dispatch import Signal

# An open work item came to one of its times: `item`, and `step` "remind" or "escalate". Sent in the
# transaction that marks the step as taken.
work_step_reached = Signal()
