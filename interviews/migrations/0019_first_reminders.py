"""The reminders every installation begins with; HR changes them at the desk."""

from django.db import migrations

HOUR, DAY = 60, 24 * 60

RULES = [
    # An invitation that nobody opens: a text message, then HR; and a word before it ends.
    {
        "stage": "invited", "anchor": "invited", "minutes": 12 * HOUR, "what": "message",
        "message": "invitation_reminder", "channels": "sms", "unless": "opened",
        "useful_minutes": DAY,
    },
    {"stage": "invited", "anchor": "invited", "minutes": DAY, "what": "follow_up"},
    {
        "stage": "invited", "anchor": "deadline", "minutes": -DAY, "what": "message",
        "message": "invitation_ends", "useful_minutes": 12 * HOUR,
    },
    {"stage": "invited", "anchor": "deadline", "minutes": 0, "what": "close"},
    # An appointment: twice before it, once when it has begun, and its end.
    {
        "stage": "booked", "anchor": "start", "minutes": -DAY, "what": "message",
        "message": "interview_reminder", "useful_minutes": 6 * HOUR,
    },
    {
        "stage": "booked", "anchor": "start", "minutes": -2 * HOUR, "what": "message",
        "message": "interview_reminder", "useful_minutes": 90,
    },
    {
        "stage": "booked", "anchor": "start", "minutes": 15, "what": "trouble",
        "useful_minutes": 6 * HOUR,
    },
    {"stage": "booked", "anchor": "end", "minutes": 30, "what": "close"},
    # Begun, and no end was ever told of.
    {"stage": "in_progress", "anchor": "end", "minutes": DAY, "what": "close"},
]  # fmt: skip


def add(apps, schema_editor):
    ReminderRule = apps.get_model("interviews", "ReminderRule")
    ReminderRule.objects.bulk_create(ReminderRule(**rule) for rule in RULES)


class Migration(migrations.Migration):
    dependencies = [("interviews", "0018_reminders")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
