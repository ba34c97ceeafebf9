from django.contrib.postgres.indexes import HashIndex
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0011_words_choices_reach_and_channels")]

    operations = [
        migrations.AddIndex(
            model_name="notification",
            index=HashIndex(
                condition=models.Q(
                    ("channel", "email"), models.Q(("provider_id", ""), _negated=True)
                ),
                fields=["provider_id"],
                name="notification_mail",
            ),
        ),
    ]
