"""Who says that their device or their connection failed is told to have had no trouble only where
none of any kind was observed: a line that was lost is one."""

from django.db import migrations, models

BEFORE = "选择了“设备或网络故障”，但未观察到设备问题"
HINT = {
    "hint_zh": "选择了“设备或网络故障”，但未观察到任何设备、网络或系统问题",
    "hint_en": "Says the device or the connection failed, yet no trouble of any kind was observed",
}


def add(apps, schema_editor):
    """As long as nobody has worded it anew."""
    PlausibilityRule = apps.get_model("cancellations", "PlausibilityRule")
    rules = PlausibilityRule.objects.filter(fact="device_errors", at_most=0, hint_zh=BEFORE)
    rules.update(fact="troubles", **HINT)


class Migration(migrations.Migration):
    dependencies = [("cancellations", "0016_first_answers")]
    operations = [
        migrations.AlterField(
            model_name="plausibilityrule",
            name="fact",
            field=models.CharField(
                choices=[
                    ("answered_share", "share of questions answered, in percent"),
                    ("minutes", "minutes in the room"),
                    ("line_lost", "times the line was lost"),
                    ("errors", "errors on our side or the platform's"),
                    ("device_errors", "troubles with the device"),
                    ("turned_away", "times they turned to another page"),
                    ("troubles", "troubles observed: with the line, the device or on our side"),
                    ("seconds_per_answer", "seconds per answer"),
                ],
                max_length=20,
                verbose_name="what is looked at",
            ),
        ),
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
