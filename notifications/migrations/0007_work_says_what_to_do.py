from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0006_webhook_tracked'),
    ]

    operations = [
        migrations.AddField(
            model_name='workitem',
            name='task',
            field=models.TextField(blank=True, db_default='', default='', max_length=500, verbose_name='what to do'),
        ),
    ]
