"""Policies hold for a time: two for the same scope may follow each other, and never overlap."""

import datetime

import django.contrib.postgres.constraints
import django.core.validators
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField
from django.db import migrations, models
from django.db.models.functions import Coalesce

SANE_TIME = [
    django.core.validators.MinValueValidator(
        datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    ),
    django.core.validators.MaxValueValidator(
        datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    ),
]


def exactly(number):
    return models.Func(
        number,
        number,
        models.Value("[]"),
        function="int8range",
        output_field=BigIntegerRangeField(),
    )


KIND_NUMBER = models.Case(
    models.When(kind="ai", then=models.Value(1)),
    models.When(kind="on_site", then=models.Value(2)),
    default=models.Value(0),
)


class Migration(migrations.Migration):
    dependencies = [
        ("cancellations", "0007_company_reasons"),
        ("interviews", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="policy",
            options={
                "ordering": ["name"],
                "permissions": [("edit_policies", "Can write and switch policies")],
                "verbose_name": "policy",
                "verbose_name_plural": "policies",
            },
        ),
        migrations.AddField(
            model_name="policy",
            name="since",
            field=models.DateTimeField(
                blank=True,
                help_text="Empty: from when it is switched on.",
                null=True,
                validators=SANE_TIME,
                verbose_name="in force from",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="until",
            field=models.DateTimeField(
                blank=True,
                help_text=(
                    "Empty: until it is switched off or another one takes its place."
                ),
                null=True,
                validators=SANE_TIME,
                verbose_name="in force until",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="version",
            field=models.PositiveIntegerField(
                default=1, editable=False, verbose_name="version"
            ),
        ),
        migrations.RemoveConstraint(model_name="policy", name="policy_one_active_per_scope"),
        migrations.AddConstraint(
            model_name="policy",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                name="policy_one_at_a_time_per_scope",
                expressions=[
                    (exactly(Coalesce(models.F("department"), 0)), "&&"),
                    (exactly(Coalesce(models.F("category"), 0)), "&&"),
                    (exactly(Coalesce(models.F("position"), 0)), "&&"),
                    (exactly(KIND_NUMBER), "&&"),
                    (
                        models.Func(
                            models.F("since"),
                            models.F("until"),
                            models.Value("[)"),
                            function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
                condition=models.Q(is_active=True),
                violation_error_message=(
                    "Another policy is switched on for exactly this scope."
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(since=None)
                | models.Q(until=None)
                | models.Q(since__lt=models.F("until")),
                name="policy_begins_before_it_ends",
                violation_error_message="A policy begins before it ends.",
            ),
        ),
    ]
