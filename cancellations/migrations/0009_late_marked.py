import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("cancellations", "0008_policies_in_time"),
        ("interviews", "0005_lists"),
    ]

    operations = [
        migrations.RunSQL(
            """
            UPDATE interviews_interview SET asked_late = true
            WHERE id IN (
                SELECT interview_id FROM cancellations_cancellation
                WHERE short_notice OR outcome = 'needs_hr'
            )
            """,
            migrations.RunSQL.noop,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cancellation',
            trigger=pgtrigger.compiler.Trigger(name='marks_interview_late', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."short_notice" OR NEW."outcome" = \'needs_hr\')', func='\n                    UPDATE interviews_interview SET asked_late = true\n                    WHERE id = NEW.interview_id AND NOT asked_late;\n                    RETURN NULL;\n                ', hash='616735725f6ff8a44df824e4f13ea2d78043295c', operation='INSERT', pgid='pgtrigger_marks_interview_late_0549f', table='cancellations_cancellation', when='AFTER')),
        ),
    ]
