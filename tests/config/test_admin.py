"""The administration is complete: every model of ours is there, its lists ask as many questions
for three rows as for one, and its pages open."""

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessChange, AccessChangeKind, ApiToken, KeptAnswer
from analytics.alerts.models import Alert, AlertRule
from analytics.models import Cell, DirtyCell
from analytics.risk.models import RiskScore
from cancellations.models import (
    FaqEntry,
    HelpConversation,
    PlausibilityRule,
    Policy,
    Reason,
    Saving,
)
from candidates.models import Appeal
from config.references import new_reference
from interviews import seals
from interviews.models import (
    AccessLog,
    Closure,
    Correction,
    Decline,
    GatePass,
    HistoryEntry,
    Job,
    JobRow,
    PlatformCall,
    PlatformEvent,
    ReminderRule,
    RemovedInterview,
    SavedView,
    TroubleReport,
)
from interviews.room.models import QuestionSet, Recording
from interviews.room.services import end_sitting
from notifications.models import (
    ChatGroup,
    MessageTemplate,
    Notification,
    OutOfReach,
    Preference,
    PushSubscription,
    Webhook,
    WebhookDelivery,
)
from tests import factories
from tests.analytics.alerts.watched import alert_of, rule_for
from tests.analytics.findings import counted
from tests.analytics.risk import scored
from tests.interviews.platforms import booked_on, platform_for

pytestmark = pytest.mark.django_db

APPS = {
    "accounts",
    "analytics",
    "candidates",
    "findings",
    "interviews",
    "cancellations",
    "notifications",
    "alerts",
    "risk",
}
OURS = [m for m in apps.get_models() if m._meta.app_label in APPS and not m._meta.proxy]
REGISTERED = [model for model in OURS if admin.site.is_registered(model)]


def person():
    return factories.UserFactory(administrator=True)


def removed(user):
    entry = factories.InterviewFactory().history.get()
    return RemovedInterview.objects.create(
        reference=new_reference(), entry=entry.pk, event="imported", actor="import", at=entry.at,
        data={}, hash="0" * 64, removed_by=user, removed_at=timezone.now(), job=new_reference(),
    )  # fmt: skip


def notification(user):
    return Notification.objects.create(
        event="sign_in_code", channel="sms", recipient=f"user:{user.pk}", language="en",
        subject="user:1", dedupe_key=new_reference(), not_before=timezone.now(),
        created_at=timezone.now(),
    )  # fmt: skip


def delivery(user):
    webhook = Webhook.objects.create(name="ERP", url="https://erp.example/", secret="s")
    return WebhookDelivery.objects.create(
        webhook=webhook, event_id=new_reference(), event="cancelled", audience="department:1",
        body=json.dumps({}), not_before=timezone.now(), created_at=timezone.now(),
    )  # fmt: skip


def token(user):
    return ApiToken.objects.create(
        name="ERP", user=user, scopes=[], hint="mt_x", digest=new_reference(), created_by=person(),
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip


def job(user):
    return Job.objects.create(kind="import", requested_by=user)


def correction(user):
    return Correction.objects.create(
        interview=factories.InterviewFactory(), move="miss", before="booked", by=user,
        at=timezone.now(),
    )  # fmt: skip


def event(user):
    return PlatformEvent.objects.create(
        platform=platform_for(slug=new_reference()), event_id=new_reference(), external_id="x",
        at=timezone.now(),
    )  # fmt: skip


def plausibility_rule(user):
    reason = Reason.objects.create(
        purpose="exit", code=new_reference().lower(), label_zh="x", label_en="x"
    )
    return PlausibilityRule.objects.create(
        reason=reason, fact="minutes", at_least=1, hint_zh="x", hint_en="x"
    )


def step(user):
    """Planned with the interview."""
    return factories.InterviewFactory().steps.first()


def rule(user):
    return ReminderRule.objects.create(
        stage="booked", anchor="start", what="trouble", minutes=ReminderRule.objects.count()
    )


def trouble(user):
    interview = factories.InterviewFactory()
    return TroubleReport.objects.create(
        interview=interview, starts_at=interview.starts_at, at=timezone.now(), kind="device"
    )


# How to make a row that differs from the last in everything it refers to.
MAKE = {
    "analytics.Cell": lambda user: Cell.objects.create(
        scope="position",
        span="day",
        owner=Cell.objects.count(),
        since="2026-03-04",
        source="",
        kind="ai",
    ),
    "analytics.DirtyCell": lambda user: DirtyCell.objects.create(
        day="2026-03-04", position=1, department=1
    ),
    "alerts.AlertRule": lambda user: rule_for(days=AlertRule.objects.count() + 9),
    "alerts.Alert": lambda user: alert_of("department", Alert.objects.count()),
    "findings.Action": lambda user: counted.logged(user, factories.PositionFactory()),
    "risk.RiskModel": lambda user: scored.model(),
    "risk.RiskScore": lambda user: RiskScore.objects.create(
        interview=factories.InterviewFactory().pk,
        target="no_show",
        department=1,
        starts_at=timezone.now(),
        probability=0.5,
        needs_help=True,
        scored_at=timezone.now(),
    ),
    "accounts.User": lambda user: person(),
    "accounts.ConfigurationChange": lambda user: factories.PositionFactory(),
    "accounts.AccessChange": lambda user: AccessChange.objects.create(
        person=person(), by=user, kind=AccessChangeKind.values[0]
    ),
    "accounts.ApiToken": token,
    "accounts.KeptAnswer": lambda user: KeptAnswer.objects.create(
        digest=new_reference(), fingerprint="0", claimed_at=timezone.now()
    ),
    "candidates.Candidate": lambda user: factories.CandidateFactory(),
    "candidates.FileEntry": lambda user: end_sitting(
        factories.SittingFactory(), ending="completed", at=timezone.now()
    ),
    "candidates.Mark": lambda user: factories.MarkFactory(),
    "candidates.Appeal": lambda user: Appeal.objects.create(
        mark=factories.MarkFactory(state="appealed"), made_at=timezone.now()
    ),
    "cancellations.Absence": lambda user: factories.AbsenceFactory(),
    "cancellations.Reason": lambda user: factories.CancellationFactory(),
    "cancellations.Policy": lambda user: Policy.objects.create(
        name="x", department=factories.DepartmentFactory(), is_active=False
    ),
    "cancellations.Cancellation": lambda user: factories.CancellationFactory(),
    "cancellations.FaqEntry": lambda user: FaqEntry.objects.create(
        question_zh="？", answer_zh="。", question_en="?", answer_en="."
    ),
    "cancellations.HelpConversation": lambda user: HelpConversation.objects.create(
        interview=factories.InterviewFactory()
    ),
    "cancellations.PlausibilityRule": plausibility_rule,
    "cancellations.Saving": lambda user: Saving.objects.create(
        interview=factories.InterviewFactory(), reason="x", offered="guide", at=timezone.now()
    ),
    "interviews.Department": lambda user: factories.DepartmentFactory(),
    "interviews.PositionCategory": lambda user: factories.PositionCategoryFactory(
        code=new_reference()
    ),
    "interviews.Position": lambda user: factories.PositionFactory(),
    "interviews.Slot": lambda user: factories.SlotFactory(),
    "interviews.SlotSeries": lambda user: factories.SlotSeriesFactory(),
    "interviews.Closure": lambda user: Closure.objects.create(
        name="x", first_day="2026-10-01", last_day="2026-10-07"
    ),
    "interviews.Decline": lambda user: Decline.objects.create(
        interview=factories.InterviewFactory(status="withdrawn", slot=None),
        reason="no_time",
        at=timezone.now(),
    ),
    "interviews.StageGate": lambda user: factories.StageGateFactory(),
    "interviews.Document": lambda user: factories.DocumentFactory(),
    "interviews.GatePass": lambda user: GatePass.objects.create(
        application=factories.ApplicationFactory(),
        gate=factories.StageGateFactory(),
        by=user,
        at=timezone.now(),
        reason="x",
    ),
    "interviews.Application": lambda user: factories.ApplicationFactory(),
    "interviews.Interview": lambda user: factories.InterviewFactory(),
    "interviews.HistoryEntry": lambda user: factories.InterviewFactory(),
    "interviews.HistorySeal": lambda user: seals.seal_history(),
    "interviews.RemovedInterview": removed,
    "interviews.Correction": correction,
    "interviews.Job": job,
    "interviews.JobRow": lambda user: JobRow.objects.create(
        job=job(user), number=1, outcome="imported"
    ),
    "interviews.QuestionSet": lambda user: QuestionSet.objects.create(
        name="x", position=factories.PositionFactory()
    ),
    "interviews.ReminderRule": rule,
    "interviews.Step": step,
    "interviews.TroubleReport": trouble,
    "interviews.Platform": lambda user: platform_for(slug=new_reference()),
    "interviews.PlatformLink": lambda user: booked_on(platform_for(slug=new_reference())),
    "interviews.PlatformEvent": event,
    "interviews.PlatformCall": lambda user: PlatformCall.objects.create(
        platform=platform_for(slug=new_reference()), operation="create"
    ),
    "interviews.WaitingEntry": lambda user: factories.WaitingEntryFactory(),
    "interviews.FreedPlace": lambda user: factories.FreedPlaceFactory(),
    "interviews.Offer": lambda user: factories.OfferFactory(),
    "interviews.Sitting": lambda user: factories.SittingFactory(),
    "interviews.Recording": lambda user: Recording.objects.create(
        answer=factories.SittingFactory().answers.first(),
        content_type="audio/ogg",
        data=b"OggS",
        size=4,
    ),
    "interviews.RoomEvent": lambda user: factories.SittingFactory(),
    "interviews.SavedView": lambda user: SavedView.objects.create(user=person(), name="x"),
    "interviews.AccessLog": lambda user: AccessLog.objects.create(by=person(), action="revealed"),
    "notifications.Notification": notification,
    "notifications.MessageTemplate": lambda user: MessageTemplate.objects.create(
        event=new_reference(), channel="sms", language="en", body="x"
    ),
    "notifications.Preference": lambda user: Preference.objects.create(
        recipient=new_reference(), group="reminders", channel="sms", is_wanted=False
    ),
    "notifications.OutOfReach": lambda user: OutOfReach.objects.create(
        recipient=new_reference(), subject="user:1", since=timezone.now(), code="30005"
    ),
    "notifications.ChatGroup": lambda user: ChatGroup.objects.create(
        name="HR", url="feishu://abcdefgh/"
    ),
    "notifications.PushSubscription": lambda user: PushSubscription.objects.create(
        recipient="user:1", endpoint=f"https://push.example/{new_reference()}", key="k", secret="s"
    ),
    "notifications.WorkItem": lambda user: factories.WorkItemFactory(),
    "notifications.Webhook": lambda user: Webhook.objects.create(
        name="ERP", url="https://erp.example/", secret="s"
    ),
    "notifications.WebhookDelivery": delivery,
}


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_model_of_ours_is_in_the_administration():
    beside = {inline.model for one in admin.site._registry.values() for inline in one.inlines}
    assert {model._meta.label for model in OURS if model not in beside} <= {
        model._meta.label for model in REGISTERED
    }


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_list_asks_no_more_for_three_rows_than_for_one(client, model):
    user = person()
    client.force_login(user)
    asked = []
    make = MAKE[model._meta.label]
    for more in (1, 2):
        for _row in range(more):
            make(user)
        client.get(address(model, "changelist"))  # what is kept per process is kept now
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address(model, "changelist")).status_code == 200
        asked.append(len(captured))
    assert asked[0] == asked[1]


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_pages_of_a_row_open(client, model):
    user = person()
    client.force_login(user)
    MAKE[model._meta.label](user)
    row = model._default_manager.first()
    assert client.get(address(model, "change", row.pk)).status_code == 200
    assert client.get(address(model, "add")).status_code in {200, 403}
    found = client.get(address(model, "changelist"), {"q": "nothing like it"})
    assert found.status_code in {200, 302}


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_what_happened_and_where_it_stands_cannot_be_typed(client, rf, model):
    """Records have no fields to write in; where rows can be changed, their state cannot."""
    user = person()
    request = rf.get("/")
    request.user = user
    MAKE[model._meta.label](user)
    row = model._default_manager.first()
    one = admin.site._registry[model]
    if not one.has_change_permission(request, row):
        return
    assert model not in {HistoryEntry, RemovedInterview, AccessLog, Job, JobRow}
    fields = set(one.get_form(request, row).base_fields)
    assert fields.isdisjoint({"status", "state", "booked", "hash", "reference"}), fields
