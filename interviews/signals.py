"""How this app reaches the ones above it: declared signals, sent inside the transaction."""

from django.dispatch import Signal

# Sent once for all that one statement stored: sender=HistoryEntry, entries=[…], each with its
# interview, which after an import knows no more than its own columns.
history_recorded = Signal()

# The old system, compared while both run, says something else of some interviews: sender=Interview,
# codes={reference: code}, each with a code of compare.Code.
differences_found = Signal()

# A candidate has left an interview in the middle, on the platform that holds it: sender=Sitting,
# sitting=…, going on, with its interview, locked and in progress; at=…; platform=…, its name in
# addresses; is_dated=…, whether `at` is when they left or only when we learned of it;
# has_results=…, whether anything was scored. Receivers end the sitting and move the interview.
left_on_platform = Signal()

# Somebody is about to begin an interview: sender=Sitting, sitting=…, not yet stored, with its
# interview, locked and not yet in progress; by=…, who. Receivers may move `resume_until`.
interview_entered = Signal()

# Somebody has given up a place for which others wait, and the slot counts it free: sender=Slot,
# place_id=…, of the FreedPlace. Not sent of what the company calls off: it may well not hold that
# time at all.
place_given_up = Signal()

# Who of the talent pool could be offered a place: sender=Candidate, candidates={ids}, position=….
# Receivers take out of the set whom they know a reason not to ask.
candidates_considered = Signal()

# A candidate wants another time for their interview: sender=Interview, interview=…, locked and
# booked; at=…, when they asked. Receivers raise booking.services.MoveRefused where a rule says no.
move_asked = Signal()

# A candidate has handed in a document for HR to check: sender=Document, document=….
document_uploaded = Signal()

# Nothing that was handed in with an application waits for HR any more: sender=Application,
# application=…, its interviews locked; by=…, whose word it was.
documents_checked = Signal()

# An application has come to its end, whoever said so: sender=Application, application=…, locked and
# saved; interviews=[…], those of it that were still to come, locked, with their facts; by=…; at=….
# Receivers call these off, and tell the candidate once.
application_ended = Signal()

# An interview takes place at another time, by whomever it was moved: sender=Interview,
# interview=…, locked and saved with its new time; before=…, the start it had; by=…; at=….
interview_moved = Signal()


# Whether somebody came is for HR to say: sender=Interview, interview=…, locked, its time passed or
# begun; code=…, a code of reminders.rules.Doubt.
attendance_unclear = Signal()
