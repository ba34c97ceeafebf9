import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_settings_checked'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='sessions_ended',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='How often every session was ended at once.'),
        ),
        migrations.CreateModel(
            name='AccessChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('kind', models.CharField(choices=[('invited', 'Invited'), ('role', 'Role changed'), ('departments', 'Departments changed'), ('deactivated', 'Access switched off'), ('reactivated', 'Access switched on again'), ('sessions_ended', 'Signed out everywhere'), ('second_step_removed', 'Lost second step removed'), ('app_added', 'Authenticator app added'), ('app_dropped', 'Authenticator app taken off'), ('passkey_added', 'Passkey added'), ('passkey_dropped', 'Passkey taken off'), ('codes_made', 'Recovery codes made'), ('code_used', 'Signed in with a recovery code'), ('linked', 'Account elsewhere linked'), ('unlinked', 'Account elsewhere unlinked')], max_length=30, verbose_name='kind')),
                ('details', models.JSONField(default=dict, verbose_name='details')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='access_changes', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'change of access',
                'verbose_name_plural': 'changes of access',
                'ordering': ['-pk'],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesschange',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e8a4512684bdee60596c9a1ba018d6840c79b7a8', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_119ef', table='accounts_accesschange', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesschange',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'History is never removed.';", hash='b1a7b46909d9df39872d3db2872f465a71319727', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_006ab', table='accounts_accesschange', when='BEFORE')),
        ),
    ]
