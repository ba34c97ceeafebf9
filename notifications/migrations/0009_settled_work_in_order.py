from django.db import migrations, models

DONE = models.Q(("closed_at__isnull", False))


class Migration(migrations.Migration):
    dependencies = [("notifications", "0008_webhook_next")]

    operations = [
        migrations.RemoveIndex(model_name="workitem", name="work_done"),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(condition=DONE, fields=["-closed_at", "-id"], name="work_done"),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=DONE,
                fields=["audience", "-closed_at", "-id"],
                name="work_done_of_audience",
            ),
        ),
    ]
