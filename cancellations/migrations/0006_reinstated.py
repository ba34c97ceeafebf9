import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0005_one_index_is_enough'),
        ('interviews', '0004_corrections'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='cancellation',
            name='legal_moves',
        ),
        migrations.AddField(
            model_name='cancellation',
            name='reversed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='reinstated'),
        ),
        migrations.AlterField(
            model_name='cancellation',
            name='status',
            field=django_fsm.FSMField(choices=[('requested', 'Being handled'), ('approved', 'Cancelled'), ('declined', 'Declined'), ('lapsed', 'Taken back'), ('reversed', 'Cancelled, then reinstated')], default='requested', max_length=10, protected=True, verbose_name='status'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cancellation',
            trigger=pgtrigger.compiler.Trigger(name='legal_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{requested:approved,requested:declined,requested:lapsed,approved:reversed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='cfc5f4051f2e249c8fc5195cd15b541fb9d4fa2a', operation='UPDATE', pgid='pgtrigger_legal_moves_fa4b0', table='cancellations_cancellation', when='BEFORE')),
        ),
    ]
