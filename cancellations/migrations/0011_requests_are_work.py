"""Requests that already wait for HR get the work item that every request opens from now on."""

from datetime import timedelta

from django.db import migrations


def open_items(apps, schema_editor):
    Cancellation = apps.get_model("cancellations", "Cancellation")
    WorkItem = apps.get_model("notifications", "WorkItem")
    waiting = Cancellation.objects.filter(status="requested").select_related(
        "interview__application__position"
    )
    items = []
    for request in waiting.iterator():
        promised = timedelta(minutes=request.policy.get("promised_minutes", 0))
        due_at = request.decide_by or request.requested_at + promised
        items.append(
            WorkItem(
                kind="cancellation",
                audience=f"department:{request.interview.application.position.department_id}",
                subject=f"interview:{request.interview.reference}",
                params={"receipt": request.reference},
                opened_at=request.requested_at,
                due_at=due_at,
                remind_at=min(request.requested_at + promised, due_at),
                escalate_at=min(request.requested_at + 2 * promised, due_at),
            )
        )
    WorkItem.objects.bulk_create(items, batch_size=1000, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("cancellations", "0010_configuration_history"),
        ("notifications", "0004_kinds_of_work"),
    ]

    operations = [migrations.RunPython(open_items, migrations.RunPython.noop)]
