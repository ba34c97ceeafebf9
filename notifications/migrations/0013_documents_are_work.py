from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0012_mail_by_provider_id'),
    ]

    operations = [
        migrations.AlterField(
            model_name='workitem',
            name='kind',
            field=models.CharField(choices=[('cancellation', 'Late cancellation'), ('anomaly', 'Anomaly'), ('follow_up', 'Follow-up'), ('absence', 'Absence'), ('appeal', 'Appeal against a mark'), ('wrong_contact', 'Wrong contact'), ('document', 'Document to check')], max_length=30, verbose_name='kind'),
        ),
    ]
