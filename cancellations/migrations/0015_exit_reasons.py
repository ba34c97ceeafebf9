"""Why candidates leave an interview midway, and what sits oddly with which reason, as every
installation begins with them; both are edited in the admin."""

from django.db import migrations

REASONS = [
    ("emergency", "突发情况", "Something urgent has come up", False),
    ("mistake", "操作失误", "I pressed something by mistake", False),
    ("difficulty", "操作困难", "I find it hard to use", False),
    ("device", "设备或网络故障", "My device or my connection fails", False),
    ("not_interested", "对岗位不感兴趣", "The position does not interest me", False),
    ("privacy", "数据隐私", "I am worried about my data", False),
    ("other", "其他", "Something else", True),
]
HINTS = [
    (
        "device",
        "answered_share",
        90,
        None,
        "选择了“设备或网络故障”，但几乎全部题目已作答",
        "Says the device failed, yet nearly every question is answered",
    ),
    (
        "device",
        "device_errors",
        None,
        0,
        "选择了“设备或网络故障”，但未观察到设备问题",
        "Says the device failed, yet no trouble with it was observed",
    ),
    (
        "mistake",
        "minutes",
        15,
        None,
        "选择了“操作失误”，但已作答 15 分钟以上",
        "Says it was a mistake, yet had been answering for 15 minutes or more",
    ),
    (
        "difficulty",
        "answered_share",
        80,
        None,
        "选择了“操作困难”，但大部分题目已作答",
        "Says it was hard to use, yet most questions are answered",
    ),
]


def add(apps, schema_editor):
    Reason = apps.get_model("cancellations", "Reason")
    PlausibilityRule = apps.get_model("cancellations", "PlausibilityRule")
    for order, (code, label_zh, label_en, needs_detail) in enumerate(REASONS):
        Reason.objects.get_or_create(
            purpose="exit",
            code=code,
            defaults={
                "label_zh": label_zh,
                "label_en": label_en,
                "needs_detail": needs_detail,
                "order": order,
            },
        )
    for code, fact, at_least, at_most, hint_zh, hint_en in HINTS:
        reason = Reason.objects.get(purpose="exit", code=code)
        PlausibilityRule.objects.get_or_create(
            reason=reason,
            fact=fact,
            at_least=at_least,
            at_most=at_most,
            defaults={"hint_zh": hint_zh, "hint_en": hint_en},
        )


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0014_exits_are_not_late")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
