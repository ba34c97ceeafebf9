"""What apps above are told of."""

from django.dispatch import Signal

# An open work item came to one of its times: `item`, and `step` "remind" or "escalate". Sent in the
# transaction that marks the step as taken, before it does so: who listens locks what the item is
# about first. Where the item turns out to be closed by then, all of it is rolled back.
work_step_reached = Signal()

# A webhook was switched off because nothing arrived there for days: `webhook`. Sent in the
# transaction that switches it off.
webhook_switched_off = Signal()

# A message will not arrive: `notification`, with its error code. Sent in the transaction that marks
# it so, with what told the same on other channels locked.
message_failed = Signal()

# Nothing we have leads to somebody: `recipient`, such as "user:12", and the `subject` of the
# message that did not arrive. Sent once, in a transaction of its own; who listens opens work.
person_out_of_reach = Signal()
