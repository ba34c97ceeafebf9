from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('cancellations', '0012_leaving_and_help'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='cancellation',
            name='cancellation_decided',
        ),
    ]
