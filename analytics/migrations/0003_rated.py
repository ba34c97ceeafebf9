from django.db import migrations

# figures.RATED, of all sources and kinds together, by day: to put five hundred positions beside one
# another without reading their cells, which are a hundred times as wide.
INDEX = """
CREATE INDEX cell_rated ON analytics_cell (scope, span, since, owner) INCLUDE (
    invited, booked, attended, completed, cancelled, cancelled_by_candidate, exited, incomplete,
    no_show
) WHERE source = '*' AND kind = '*'
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_cells")]

    operations = [migrations.RunSQL(INDEX, "DROP INDEX cell_rated")]
