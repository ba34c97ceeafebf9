
import config.references
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('interviews', '0003_work_in_the_background'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='attempts',
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(default=config.references.new_reference, editable=False, max_length=10, unique=True, verbose_name='reference')),
                ('move', models.CharField(choices=[('reinstate', 'Reinstate: the interview takes place after all'), ('complete', 'Completed: the interview took place'), ('miss', 'Missed: the candidate did not come'), ('lapse', 'Incomplete: it was begun and not finished'), ('withdraw', 'Left: the candidate has withdrawn')], max_length=10, verbose_name='correction')),
                ('before', models.CharField(choices=[('invited', 'Invited'), ('booked', 'Booked'), ('cancelling', 'Cancelling'), ('cancelled', 'Cancelled'), ('in_progress', 'In progress'), ('exiting', 'Leaving'), ('withdrawn', 'Left'), ('completed', 'Completed'), ('incomplete', 'Incomplete'), ('no_show', 'Missed')], max_length=12, verbose_name='status before')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('reason', models.TextField(blank=True, max_length=500, verbose_name='reason')),
                ('note', models.TextField(blank=True, max_length=500, verbose_name='note to the candidate')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('interview', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='interviews.interview', verbose_name='interview')),
            ],
            options={
                'verbose_name': 'correction',
                'verbose_name_plural': 'corrections',
            },
        ),
    ]
