import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('interviews', '0009_room_and_platforms'),
        ('notifications', '0004_kinds_of_work'),  # whose items the trigger moves
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='interview',
            name='moves_its_history',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='position',
            name='moves_its_interviews',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='interview',
            trigger=pgtrigger.compiler.Trigger(name='moves_its_history', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."listed_department" IS DISTINCT FROM (NEW."listed_department") OR OLD."listed_position" IS DISTINCT FROM (NEW."listed_position"))', func="\n        UPDATE interviews_historyentry\n        SET listed_department = NEW.listed_department, listed_position = NEW.listed_position\n        WHERE interview_id = NEW.id;\n        UPDATE notifications_workitem SET audience = 'department:' || NEW.listed_department\n        WHERE subject = 'interview:' || NEW.reference AND closed_at IS NULL\n            AND audience = 'department:' || OLD.listed_department;\n        RETURN NULL;\n    ", hash='e930d9d33640f285e36f5a136f45f6c4342cffd7', operation='UPDATE', pgid='pgtrigger_moves_its_history_4b409', table='interviews_interview', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='position',
            trigger=pgtrigger.compiler.Trigger(name='moves_its_interviews', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."department_id" IS DISTINCT FROM (NEW."department_id"))', func='\n        LOCK TABLE interviews_interview IN EXCLUSIVE MODE;\n        UPDATE interviews_interview SET listed_department = NEW.department_id\n        WHERE listed_position = NEW.id;\n        RETURN NULL;\n    ', hash='8926066275eaee46c92f9b37badcf907a209d94c', operation='UPDATE OF "department_id"', pgid='pgtrigger_moves_its_interviews_97d08', table='interviews_position', when='AFTER')),
        ),
    ]
