"""Why a company calls interviews off, as every installation begins with it; edited in the admin."""

from django.db import migrations

REASONS = [
    ("hiring_freeze", "岗位暂停招聘", "Hiring for this position has been paused", False),
    ("position_filled", "岗位已招满", "The position has been filled", False),
    ("interviewer_away", "面试官无法出席", "The interviewer cannot attend", False),
    ("fault", "系统或场地原因", "A fault of the system or of the place", False),
    ("duplicate", "重复预约", "It was booked twice", False),
    ("other", "其他", "Something else", True),
]


def add(apps, schema_editor):
    Reason = apps.get_model("cancellations", "Reason")
    for order, (code, label_zh, label_en, needs_detail) in enumerate(REASONS):
        Reason.objects.get_or_create(
            purpose="company",
            code=code,
            defaults={
                "label_zh": label_zh,
                "label_en": label_en,
                "needs_detail": needs_detail,
                "order": order,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0006_reinstated")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
