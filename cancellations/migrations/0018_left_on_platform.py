"""The reason of those who left on another platform, which does not tell why. It is never offered."""

from django.db import migrations


def add(apps, schema_editor):
    apps.get_model("cancellations", "Reason").objects.get_or_create(
        purpose="exit",
        code="on_platform",
        defaults={
            "label_zh": "在面试平台上退出，未说明原因",
            "label_en": "Left on the interview platform, without a reason",
            "order": 90,
            "is_active": False,
        },
    )


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0017_troubles_of_every_kind")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
