from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0003_decided'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='cancellation',
            options={'permissions': [('decide_cancellation', 'Can decide cancellations'), ('read_detail', 'Can read what candidates tell HR')], 'verbose_name': 'cancellation', 'verbose_name_plural': 'cancellations'},
        ),
    ]
