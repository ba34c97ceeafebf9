from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("interviews", "0020_reminders_for_some"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="interview",
            index=models.Index(fields=["listed_position", "created_at"], name="interview_invited"),
        ),
    ]
