import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import config.references


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("interviews", "0004_corrections"),
    ]

    operations = [
        migrations.AddField(
            model_name="interview",
            name="listed_department",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="interview",
            name="listed_position",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="interview",
            name="listed_at",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.comparison.Coalesce("starts_at", "created_at"),
                output_field=models.DateTimeField(),
            ),
        ),
        migrations.AddField(
            model_name="interview",
            name="asked_late",
            field=models.BooleanField(default=False, editable=False, verbose_name="asked late"),
        ),
        migrations.RunSQL(
            """
            UPDATE interviews_interview interview
            SET listed_department = position.department_id, listed_position = position.id
            FROM interviews_application application
            JOIN interviews_position position ON position.id = application.position_id
            WHERE application.id = interview.application_id
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="interview",
            name="listed_department",
            field=models.BigIntegerField(editable=False),
        ),
        migrations.AlterField(
            model_name="interview",
            name="listed_position",
            field=models.BigIntegerField(editable=False),
        ),
        migrations.AddIndex(
            model_name="interview",
            index=models.Index(
                fields=["listed_department", "listed_at", "id"], name="interview_listed"
            ),
        ),
        migrations.AddIndex(
            model_name="interview",
            index=models.Index(
                fields=["listed_department", "status", "listed_at", "id"],
                name="interview_listed_status",
            ),
        ),
        migrations.AddIndex(
            model_name="interview",
            index=models.Index(
                fields=["listed_department", "kind", "listed_at", "id"],
                name="interview_listed_kind",
            ),
        ),
        migrations.AddIndex(
            model_name="interview",
            index=models.Index(
                fields=["listed_department", "source", "listed_at", "id"],
                name="interview_listed_source",
            ),
        ),
        migrations.AddIndex(
            model_name="interview",
            index=models.Index(
                condition=models.Q(("asked_late", True)),
                fields=["listed_department", "listed_at", "id"],
                name="interview_listed_late",
            ),
        ),
        migrations.AddIndex(
            model_name="interview",
            index=models.Index(
                fields=["listed_position", "listed_at", "id"], name="interview_listed_position"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='interview',
            trigger=pgtrigger.compiler.Trigger(name='listed_under', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n        SELECT position.department_id, position.id\n        INTO NEW.listed_department, NEW.listed_position\n        FROM interviews_application application\n        JOIN interviews_position position ON position.id = application.position_id\n        WHERE application.id = NEW.application_id;\n        RETURN NEW;\n    ', hash='be6a4a072a9e55c0fbe9522ff9ac87c8656aaa83', operation='INSERT OR UPDATE OF "application_id", "listed_department", "listed_position"', pgid='pgtrigger_listed_under_af958', table='interviews_interview', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='position',
            trigger=pgtrigger.compiler.Trigger(name='moves_its_interviews', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."department_id" IS DISTINCT FROM (NEW."department_id"))', func='\n        LOCK TABLE interviews_interview IN SHARE ROW EXCLUSIVE MODE;\n        UPDATE interviews_interview SET listed_department = NEW.department_id\n        WHERE listed_position = NEW.id;\n        RETURN NULL;\n    ', hash='70ad24b445c345ae55312b4e5e5a4eb2bda9327a', operation='UPDATE OF "department_id"', pgid='pgtrigger_moves_its_interviews_97d08', table='interviews_position', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='application',
            trigger=pgtrigger.compiler.Trigger(name='moves_its_interviews', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."position_id" IS DISTINCT FROM (NEW."position_id"))', func='\n        UPDATE interviews_interview SET listed_position = NEW.position_id\n        WHERE application_id = NEW.id;\n        RETURN NULL;\n    ', hash='21c0362b023d0d14181dffaa623002dce66a6c58', operation='UPDATE OF "position_id"', pgid='pgtrigger_moves_its_interviews_91a85', table='interviews_application', when='AFTER')),
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(default=config.references.new_reference, editable=False, max_length=10, unique=True, verbose_name="reference")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("query", models.CharField(blank=True, max_length=2000, verbose_name="query")),
                ("is_default", models.BooleanField(default=False, verbose_name="opens first")),
                ("user", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="saved_views", to=settings.AUTH_USER_MODEL, verbose_name="user")),
            ],
            options={
                "verbose_name": "saved view",
                "verbose_name_plural": "saved views",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "name"), name="saved_view_once_per_name"),
                    models.UniqueConstraint(condition=models.Q(("is_default", True)), fields=("user",), name="saved_view_one_default"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="at")),
                ("action", models.CharField(choices=[("revealed", "Contact details revealed"), ("exported", "List exported")], max_length=10, verbose_name="what was done")),
                ("subject", models.CharField(blank=True, max_length=60, verbose_name="about")),
                ("detail", models.JSONField(default=dict, verbose_name="detail")),
                ("by", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="accesses", to=settings.AUTH_USER_MODEL, verbose_name="by")),
            ],
            options={
                "verbose_name": "access to personal data",
                "verbose_name_plural": "accesses to personal data",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["by", "-id"], name="access_by"),
                    models.Index(fields=["subject", "-id"], name="access_subject"),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesslog',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='57aead582d0f99b055e6b180b6372312a5d5d7b2', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_c0f9f', table='interviews_accesslog', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesslog',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'The log of accesses is never emptied.';", hash='f6454ae0819f5c4064604aae1dc512c3ed94add5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_a1f5a', table='interviews_accesslog', when='BEFORE')),
        ),
    ]
