"""Reasons and policies are data that administrators edit; cancellations are looked up only."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from cancellations.models import Cancellation, Policy, Purpose, Reason
from cancellations.words import in_words
from tests.factories import CancellationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(UserFactory(administrator=True))
    return client


def change(obj) -> str:
    return reverse(f"admin:cancellations_{obj._meta.model_name}_change", args=[obj.pk])


@pytest.fixture
def policy():
    policy = Policy.objects.create(name="Night shift", is_active=False, promised_minutes=90)
    policy.tiers.create(notice_minutes=1440, outcome="automatic")
    policy.tiers.create(notice_minutes=0, outcome="needs_hr")
    return policy


def test_policies_are_read_here_and_written_at_the_desk(admin, policy):
    page = admin.get(change(policy)).text

    assert reverse("cancellations:policy", args=[policy.pk]) in page
    for field in ("is_active", "department", "since", "tiers-0-notice_minutes"):
        assert f'name="{field}"' not in page
    assert admin.get(reverse("admin:cancellations_policy_add")).status_code == 403


def test_policy_sent_to_the_administration_changes_nothing(admin, policy):
    general = Policy.objects.get(name="默认规则")
    tier = general.tiers.first()
    sent = {
        "name": general.name,
        "promised_minutes": 1,
        "default_decision": "approve",
        "default_minutes_before": 30,
        "tiers-TOTAL_FORMS": 1,
        "tiers-INITIAL_FORMS": 1,
        "tiers-0-id": tier.pk,
        "tiers-0-policy": general.pk,
        "tiers-0-notice_minutes": 0,
        "tiers-0-outcome": "refused",
    }

    assert admin.post(change(general), sent).status_code == 403
    assert admin.post(reverse("admin:cancellations_policy_add"), sent).status_code == 403

    after = Policy.objects.get(pk=general.pk)
    assert (after.is_active, after.promised_minutes) == (True, general.promised_minutes)
    assert after.tiers.count() == general.tiers.count() > 1


def test_policies_are_not_deleted(admin):
    policy = Policy.objects.first()

    response = admin.post(reverse("admin:cancellations_policy_delete", args=[policy.pk]))

    assert response.status_code == 403


def test_reason_keeps_its_code_and_changes_its_wording(admin):
    reason = Reason.objects.get(code="time_conflict", purpose=Purpose.CANCEL)

    admin.post(
        change(reason),
        {"code": "other", "label_zh": "时间不合适", "label_en": "Not at that time", "order": 3},
    )

    reason.refresh_from_db()
    assert (reason.code, reason.label_en) == ("time_conflict", "Not at that time")


def test_reason_somebody_gave_is_not_deleted(admin):
    reason = CancellationFactory().reason
    unused = Reason.objects.exclude(pk=reason.pk).first()

    for each, status in ((reason, 403), (unused, 302)):
        address = reverse("admin:cancellations_reason_delete", args=[each.pk])
        assert admin.post(address, {"post": "yes"}).status_code == status

    assert Reason.objects.filter(pk=reason.pk).exists()


def test_cancellation_is_looked_up_and_never_changed(admin):
    cancellation = CancellationFactory()

    assert admin.get(change(cancellation)).status_code == 200
    assert admin.post(change(cancellation), {"status": "approved"}).status_code == 403
    assert admin.get(reverse("admin:cancellations_cancellation_add")).status_code == 403
    delete = reverse("admin:cancellations_cancellation_delete", args=[cancellation.pk])
    assert admin.post(delete).status_code == 403
    assert Cancellation.objects.get().status == "requested"


def test_cancellation_is_found_by_its_receipt(admin):
    wanted, _other = CancellationFactory.create_batch(2)
    address = reverse("admin:cancellations_cancellation_changelist")

    response = admin.get(address, {"q": wanted.reference})

    assert list(response.context["cl"].queryset) == [wanted]


@pytest.mark.parametrize("model", ["cancellation", "policy", "reason"])
def test_list_query_count_does_not_grow(admin, model):
    counts = []
    for number in range(2):
        CancellationFactory.create_batch(2)
        Policy.objects.create(name=f"Policy {number}", is_active=False)
        with CaptureQueriesContext(connection) as captured:
            response = admin.get(reverse(f"admin:cancellations_{model}_changelist"))
        assert response.status_code == 200
        counts.append(len(captured))

    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("language", "tiers"),
    [
        ("en", ["24 hours: cancelled at once", "until the start: HR decides"]),
        ("zh-hans", ["24 小时：立即取消", "直到开始：由HR审批"]),
    ],
)
def test_tiers_and_promises_are_shown_in_words(client, policy, language, tiers):
    client.force_login(UserFactory(administrator=True, language=language))

    listed = client.get(reverse("admin:cancellations_policy_changelist")).text
    shown = client.get(change(policy)).text

    for tier in tiers:
        assert tier in listed
        for words in tier.replace("：", ": ").split(": "):
            assert words in shown
    for page in (listed, shown):
        assert {"en": "1 hour and 30 minutes", "zh-hans": "1 小时 30 分钟"}[language] in page


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "1 minute"),
        (60, "1 hour"),
        (90, "1 hour and 30 minutes"),
        (48 * 60, "48 hours"),
        (72 * 60, "3 days"),
        (75 * 60, "3 days and 3 hours"),
        (0, ""),
    ],
)
def test_minutes_in_words(minutes, words):
    with translation.override("en"):
        assert in_words(minutes) == words


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ["Changed wording in English."]), ("zh-hans", ["英文"])],
)
def test_history_names_what_was_changed_in_the_readers_language(client, language, words):
    client.force_login(UserFactory(administrator=True, language=language))
    reason = Reason.objects.get(code="time_conflict", purpose=Purpose.CANCEL)
    wording = {"label_zh": reason.label_zh, "label_en": "Not then", "order": reason.order}
    client.post(change(reason), {**wording, "is_active": "on"})

    page = client.get(reverse("admin:cancellations_reason_history", args=[reason.pk])).text

    for each in words:
        assert each in page
    assert "label_en" not in page


def test_history_takes_whatever_was_logged(admin):
    policy = Policy.objects.first()
    logged = ["", "Once in words", "[]", '[{"added": {}}]', '{"changed": 1}', "[{", "5"]
    LogEntry.objects.bulk_create(
        LogEntry(
            user=UserFactory(administrator=True),
            content_type=ContentType.objects.get_for_model(Policy),
            object_id=policy.pk,
            object_repr="x",
            action_flag=CHANGE,
            change_message=message,
        )
        for message in logged
    )

    response = admin.get(reverse("admin:cancellations_policy_history", args=[policy.pk]))

    assert response.status_code == 200
    assert "Once in words" in response.text
