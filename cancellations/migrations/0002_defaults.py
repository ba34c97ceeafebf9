"""The reasons and the policies every installation begins with; both are edited in the admin."""

from django.db import migrations

REASONS = [
    ("time_conflict", "时间冲突", "The time does not suit me", False),
    ("career_change", "职业规划调整", "My career plans have changed", False),
    ("accepted_offer", "已接受其他offer", "I have accepted another offer", False),
    ("not_interested", "对岗位不感兴趣", "The position does not interest me", False),
    ("unwell", "身体不适", "I am not well", False),
    ("personal", "个人原因", "Personal reasons", True),
    ("other", "其他", "Something else", True),
]
DAY = 24 * 60


def add(apps, schema_editor):
    Reason = apps.get_model("cancellations", "Reason")
    for order, (code, label_zh, label_en, needs_detail) in enumerate(REASONS):
        Reason.objects.create(
            purpose="cancel",
            code=code,
            label_zh=label_zh,
            label_en=label_en,
            needs_detail=needs_detail,
            order=order,
        )
    Policy = apps.get_model("cancellations", "Policy")
    default = Policy.objects.create(name="默认规则")
    default.tiers.create(notice_minutes=DAY, outcome="automatic")
    default.tiers.create(notice_minutes=DAY // 2, outcome="automatic", short_notice=True)
    default.tiers.create(notice_minutes=0, outcome="needs_hr")
    longer = Policy.objects.create(name="48 小时规则(示例)", is_active=False)
    longer.tiers.create(notice_minutes=2 * DAY, outcome="automatic")
    longer.tiers.create(notice_minutes=DAY, outcome="automatic", short_notice=True)
    longer.tiers.create(notice_minutes=0, outcome="needs_hr")


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
