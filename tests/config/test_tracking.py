"""What is written down of the configuration, by the database itself."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from accounts.models import ConfigurationChange
from accounts.permissions import Role
from cancellations.models import Policy, Reason, Tier
from config.tracking import act_as, acting
from tests.factories import DepartmentFactory, PositionFactory, UserFactory

pytestmark = pytest.mark.django_db


def changes_of(subject):
    return list(
        ConfigurationChange.objects.filter(
            subject=subject._meta.label_lower, subject_id=subject.pk
        ).order_by("pk")
    )


def test_change_by_sql_is_written_down_with_before_and_after():
    reason = Reason.objects.get(purpose="cancel", code="other")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cancellations_reason SET label_en = 'Else' WHERE id = %s", [reason.pk]
        )

    change = changes_of(reason)[-1]

    assert (change.action, change.actor) == ("changed", "database")
    assert change.before["label_en"] == reason.label_en
    assert change.after == {**change.before, "label_en": "Else"}


def test_what_does_not_change_is_not_written_down():
    policy = Policy.objects.first()
    count = ConfigurationChange.objects.count()

    policy.save()

    assert ConfigurationChange.objects.count() == count


def test_added_and_removed_rows_are_written_down_under_what_they_belong_to():
    department = DepartmentFactory()
    policy = Policy.objects.create(name="Plant", department=department)
    tier = Tier.objects.create(policy=policy, notice_minutes=60, outcome="automatic")
    tier_id = tier.pk
    tier.delete()

    _, added, removed = changes_of(policy)

    assert (added.kind, added.object_id, added.action) == ("cancellations.tier", tier_id, "added")
    assert added.before is None
    assert removed.action == "removed"
    assert removed.before == added.after
    assert removed.after is None
    assert added.departments == removed.departments == [department.pk]


def test_policy_moved_to_another_department_concerns_both():
    old, new = DepartmentFactory(), DepartmentFactory()
    policy = Policy.objects.create(name="Plant", department=old)
    policy.department = new
    policy.save()

    assert changes_of(policy)[-1].departments == [old.pk, new.pk]


def test_policy_that_held_for_everybody_concerns_everybody():
    policy = Policy.objects.create(name="Plant", is_active=False)
    policy.position = PositionFactory()
    policy.save()

    assert changes_of(policy)[-1].departments is None


def test_of_a_person_only_role_and_access_are_written_down():
    user = UserFactory(recruiter=True)
    user.role = Role.HR_LEAD
    user.name, user.email, user.mobile = "李四", "li@company.example", "+8613900000000"
    user.save()

    change = changes_of(user)[-1]

    assert change.before == {"role": "recruiter", "is_active": True, "is_superuser": False}
    assert change.after == {"role": "hr_lead", "is_active": True, "is_superuser": False}
    assert change.departments == []


def test_candidates_are_not_written_down_until_they_become_staff():
    user = UserFactory()
    user.is_active = False
    user.save()
    assert changes_of(user) == []

    user.role = Role.RECRUITER
    user.save()
    assert changes_of(user)[-1].before["role"] == "candidate"


def test_who_joins_and_leaves_a_department_is_written_down():
    department, user = DepartmentFactory(), UserFactory(lead=True)
    department.staff.add(user)
    department.staff.remove(user)

    changes = changes_of(department)

    assert [change.action for change in changes] == ["added", "added", "removed"]
    assert changes[-1].before["user_id"] == user.pk


def test_change_in_the_admin_is_put_down_to_who_made_it(client):
    administrator = UserFactory(administrator=True)
    reason = Reason.objects.get(purpose="cancel", code="other")
    client.force_login(administrator)
    fields = ("purpose", "code", "label_zh", "order", "needs_detail", "is_active")
    data = {name: getattr(reason, name) for name in fields}

    client.post(
        reverse("admin:cancellations_reason_change", args=[reason.pk]),
        {**data, "label_en": "Another one"},
    )

    change = changes_of(reason)[-1]
    assert change.actor == f"user:{administrator.pk}"
    assert change.after["label_en"] == "Another one"


@pytest.mark.django_db(transaction=True)
def test_actor_does_not_outlive_what_they_did():
    with acting(lambda: "user:7"):
        DepartmentFactory()
    DepartmentFactory()

    changes = ConfigurationChange.objects.filter(kind="interviews.department").order_by("pk")
    assert [change.actor for change in changes] == ["user:7", "database"]


def test_nobody_is_asked_who_they_are_where_nothing_changes(django_assert_num_queries):
    def never():
        raise AssertionError

    with acting(never), django_assert_num_queries(2):
        Reason.objects.count()
        Policy.objects.count()


def test_who_copies_rows_in_says_so_first():
    with transaction.atomic():
        act_as("import")
        department = DepartmentFactory()

    assert changes_of(department)[0].actor == "import"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_configurationchange SET actor = 'user:1'",
        "DELETE FROM accounts_configurationchange",
        "TRUNCATE accounts_configurationchange",
    ],
)
def test_database_refuses_to_change_what_was_written_down(statement):
    department = DepartmentFactory()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert len(changes_of(department)) == 1
