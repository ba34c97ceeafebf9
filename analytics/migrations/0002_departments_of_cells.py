from django.db import migrations, models

# Which department's sums a cell is in. A position that has moved and waits to be counted is in those
# of both, more or less: they are added up anew (a mark without a position), as are those of all that
# waits.
FILL = """
UPDATE analytics_cell c SET department = p.department_id
FROM interviews_position p
WHERE p.id = c.owner AND c.scope = 'position' AND c.span = 'day';

INSERT INTO analytics_dirtycell (day, position, department)
SELECT day, 0, department FROM analytics_dirtycell
WHERE position <> 0 AND EXISTS (SELECT FROM analytics_cell)
UNION
SELECT dirty.day, 0, p.department_id
FROM analytics_dirtycell dirty JOIN interviews_position p ON p.id = dirty.position
WHERE EXISTS (SELECT FROM analytics_cell);
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_cells")]

    operations = [
        migrations.AddField(
            model_name="cell",
            name="department",
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
