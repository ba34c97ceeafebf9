"""The reason of those who would come if they knew how; they are shown the guide first."""

from django.db import migrations


def add(apps, schema_editor):
    apps.get_model("cancellations", "Reason").objects.get_or_create(
        purpose="cancel",
        code="difficulty",
        defaults={
            "label_zh": "不知道如何操作",
            "label_en": "I do not know how it works",
            "order": 4,
        },
    )


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0020_saved")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
