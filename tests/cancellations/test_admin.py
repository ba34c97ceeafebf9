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
from interviews.models import PositionCategory
from tests.factories import CancellationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(UserFactory(administrator=True))
    return client


def change(obj) -> str:
    return reverse(f"admin:cancellations_{obj._meta.model_name}_change", args=[obj.pk])


def policy_form(*tiers: tuple[int, str], **fields) -> dict[str, object]:
    data: dict[str, object] = {
        "name": "Night shift",
        "is_active": "on",
        "department": "",
        "category": "",
        "position": "",
        "kind": "",
        "promised_minutes": 15,
        "default_decision": "approve",
        "default_minutes_before": 30,
        "tiers-TOTAL_FORMS": len(tiers),
        "tiers-INITIAL_FORMS": 0,
        **fields,
    }
    for number, (minutes, outcome) in enumerate(tiers):
        data |= {f"tiers-{number}-notice_minutes": minutes, f"tiers-{number}-outcome": outcome}
    return data


def add_policy(admin, *tiers: tuple[int, str], **fields):
    category = PositionCategory.objects.create(code="night", name="夜班")
    data = policy_form(*tiers, **{"category": category.pk, **fields})
    return admin.post(reverse("admin:cancellations_policy_add"), data, follow=True)


def test_policy_is_made_with_its_tiers(admin):
    add_policy(admin, (1440, "automatic"), (0, "needs_hr"))

    policy = Policy.objects.get(name="Night shift")
    assert list(policy.tiers.values_list("notice_minutes", "outcome")) == [
        (1440, "automatic"),
        (0, "needs_hr"),
    ]


def test_policy_without_a_tier_is_refused(admin):
    response = add_policy(admin)

    assert "A policy needs at least one tier" in response.text
    assert not Policy.objects.filter(name="Night shift").exists()


def test_policy_may_not_lose_its_last_tier(admin):
    policy = Policy.objects.create(name="Night shift", is_active=False)
    tier = policy.tiers.create(notice_minutes=0, outcome="needs_hr")
    data = policy_form((0, "needs_hr"), is_active="") | {
        "tiers-INITIAL_FORMS": 1,
        "tiers-0-id": tier.pk,
        "tiers-0-policy": policy.pk,
        "tiers-0-DELETE": "on",
    }

    response = admin.post(change(policy), data)

    assert "A policy needs at least one tier" in response.text
    assert policy.tiers.exists()


def test_policy_with_two_tiers_at_the_same_notice_is_refused(admin):
    response = add_policy(admin, (60, "automatic"), (60, "needs_hr"))

    assert "Two tiers have the same notice." in response.text
    assert "notice_minutes, " not in response.text
    assert "duplicate data" not in response.text
    assert not Policy.objects.filter(name="Night shift").exists()


def test_second_policy_for_the_same_scope_is_refused(admin):
    response = add_policy(admin, (0, "needs_hr"), category="")

    assert "Another policy is switched on for exactly this scope." in response.text


def test_policy_that_refuses_everybody_warns(admin):
    response = add_policy(admin, (0, "refused"))

    assert "This policy refuses every request" in response.text
    assert Policy.objects.filter(name="Night shift").exists()


def test_policy_that_leaves_late_requests_without_a_tier_warns(admin):
    response = add_policy(admin, (24 * 60, "automatic"))

    assert "This policy has no tier for 0 minutes" in response.text


def test_switching_off_the_last_general_policy_warns(admin):
    policy = Policy.objects.get(name="默认规则")
    tiers = list(policy.tiers.all())
    data = policy_form(*[(tier.notice_minutes, tier.outcome) for tier in tiers], is_active="")
    data["tiers-INITIAL_FORMS"] = len(tiers)
    for number, tier in enumerate(tiers):
        data |= {f"tiers-{number}-id": tier.pk, f"tiers-{number}-policy": policy.pk}

    response = admin.post(change(policy), data, follow=True)

    assert not Policy.objects.get(pk=policy.pk).is_active
    assert "No policy is switched on for interviews in general" in response.text
    assert "HR decides every request" in response.text


def test_ordinary_policy_warns_of_nothing(admin):
    response = add_policy(admin, (0, "needs_hr"))

    assert [message.level_tag for message in response.context["messages"]] == ["success"]


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
        ("zh-hans", ["24 小时：立即取消", "直到开始：由 HR 审批"]),
    ],
)
def test_tiers_and_promises_are_shown_in_words(client, language, tiers):
    client.force_login(UserFactory(administrator=True, language=language))
    policy = Policy.objects.create(name="Night shift", is_active=False, promised_minutes=90)
    policy.tiers.create(notice_minutes=1440, outcome="automatic")
    policy.tiers.create(notice_minutes=0, outcome="needs_hr")

    listed = client.get(reverse("admin:cancellations_policy_changelist")).text
    edited = client.get(change(policy)).text

    for tier in tiers:
        assert tier in listed
        assert tier.replace("：", ": ").partition(": ")[0] in edited
    assert {"en": "1 hour and 30 minutes", "zh-hans": "1 小时 30 分钟"}[language] in listed
    assert 'value="1440"' in edited
    assert {"en": "24 hours are 1440 minutes", "zh-hans": "24 小时为 1440 分钟"}[language] in edited


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
    [
        ("en", ["Changed promised minutes.", "Changed notice in minutes, at least for tier"]),
        ("zh-hans", ["承诺分钟数", "至少提前（分钟）", "档位"]),
    ],
)
def test_history_names_what_was_changed_in_the_readers_language(client, language, words):
    client.force_login(UserFactory(administrator=True, language=language))
    policy = Policy.objects.create(name="Night shift", is_active=False)
    tier = policy.tiers.create(notice_minutes=60, outcome="needs_hr")
    data = policy_form((120, "needs_hr"), is_active="", promised_minutes=20) | {
        "tiers-INITIAL_FORMS": 1,
        "tiers-0-id": tier.pk,
        "tiers-0-policy": policy.pk,
    }
    client.post(change(policy), data)

    page = client.get(reverse("admin:cancellations_policy_history", args=[policy.pk])).text

    for each in words:
        assert each in page
    assert "notice_minutes" not in page
    assert "Promised minutes" not in page


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
