"""The reason of what is called off because its application has ended. It is never offered."""

from django.db import migrations


def add(apps, schema_editor):
    apps.get_model("cancellations", "Reason").objects.get_or_create(
        purpose="company",
        code="application_ended",
        defaults={
            "label_zh": "本次应聘已结束",
            "label_en": "The application has ended",
            "order": 90,
            "is_active": False,
        },
    )


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0022_absences")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
