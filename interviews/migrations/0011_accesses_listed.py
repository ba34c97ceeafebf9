import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('interviews', '0010_work_moves_along'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='accesslog',
            name='append_only',
        ),
        migrations.RemoveIndex(
            model_name='accesslog',
            name='access_by',
        ),
        migrations.AddField(
            model_name='accesslog',
            name='listed_department',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.RunSQL(
            """
            UPDATE interviews_accesslog SET listed_department = interview.listed_department
            FROM interviews_interview interview
            WHERE interviews_accesslog.subject = 'interview:' || interview.reference
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            model_name='accesslog',
            index=models.Index(fields=['at', 'id'], name='access_at'),
        ),
        migrations.AddIndex(
            model_name='accesslog',
            index=models.Index(fields=['by', 'at', 'id'], name='access_by'),
        ),
        migrations.AddIndex(
            model_name='accesslog',
            index=models.Index(fields=['action', 'at', 'id'], name='access_action'),
        ),
        migrations.AddIndex(
            model_name='accesslog',
            index=models.Index(fields=['listed_department', 'at', 'id'], name='access_listed'),
        ),
        migrations.AddIndex(
            model_name='accesslog',
            index=models.Index(condition=models.Q(('action', 'exported'), ('listed_department', None)), fields=['by', 'at', 'id'], name='access_taken_along'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesslog',
            trigger=pgtrigger.compiler.Trigger(name='listed_under', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."subject"::text LIKE \'interview:%\')', func='\n        SELECT interview.listed_department INTO NEW.listed_department\n        FROM interviews_interview interview\n        WHERE interview.reference = substr(NEW.subject, 11);\n        RETURN NEW;\n    ', hash='158dbc216bb9f24dd8c77fc86d7e60e0062bbc97', operation='INSERT', pgid='pgtrigger_listed_under_26bfe', table='interviews_accesslog', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesslog',
            trigger=pgtrigger.compiler.Trigger(name='never_removed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='1d887c87458bec8f7d3c29518435d4e1dd6b6707', operation='DELETE', pgid='pgtrigger_never_removed_f36f6', table='interviews_accesslog', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesslog',
            trigger=pgtrigger.compiler.Trigger(name='never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."action" IS DISTINCT FROM (NEW."action") OR OLD."at" IS DISTINCT FROM (NEW."at") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."detail" IS DISTINCT FROM (NEW."detail") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."subject" IS DISTINCT FROM (NEW."subject"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2f1d50494a62e707a92186a0517f6c63cafd7b1c', operation='UPDATE', pgid='pgtrigger_never_changed_34db4', table='interviews_accesslog', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='interview',
            trigger=pgtrigger.compiler.Trigger(name='moves_its_accesses', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."listed_department" IS DISTINCT FROM (NEW."listed_department"))', func="\n        UPDATE interviews_accesslog SET listed_department = NEW.listed_department\n        WHERE subject = 'interview:' || NEW.reference;\n        RETURN NULL;\n    ", hash='47f729a4e51646c3da044580d56aa3c021c06926', operation='UPDATE', pgid='pgtrigger_moves_its_accesses_d7ebb', table='interviews_interview', when='AFTER')),
        ),
    ]
