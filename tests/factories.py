"""Plain rows; traits name states and set them directly, history included, without a service."""

from datetime import time, timedelta

import factory
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from cancellations.absences.models import Absence
from cancellations.models import Cancellation, CancellationStatus, Purpose, Reason
from candidates.models import Candidate, Mark
from interviews import history
from interviews.models import (
    Application,
    Department,
    Document,
    Interview,
    Position,
    PositionCategory,
    Slot,
    SlotSeries,
    Stage,
    StageGate,
)
from interviews.refill.models import FreedPlace, Offer, WaitingEntry, Why
from interviews.room.models import Answer, RoomEvent, Sitting
from interviews.states import InterviewStatus
from notifications.models import Notification, WorkItem

PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"张三{n}")
    password = factory.django.Password(PASSWORD)
    mobile = factory.Sequence(lambda n: f"+861391{n:07d}")
    language = "en"

    class Params:
        staff = factory.Trait(
            mobile=None, email=factory.Sequence(lambda n: f"staff{n}@company.example")
        )
        recruiter = factory.Trait(staff=True, role=Role.RECRUITER)
        lead = factory.Trait(staff=True, role=Role.HR_LEAD)
        viewer = factory.Trait(staff=True, role=Role.DEPARTMENT_VIEWER)
        administrator = factory.Trait(staff=True, role=Role.ADMINISTRATOR)

    @factory.post_generation
    def departments(self, create, extracted, **kwargs):
        if create and extracted:
            self.departments.set(extracted)


class CandidateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Candidate

    user = factory.SubFactory(UserFactory)
    city = "深圳"


class DepartmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Department

    code = factory.Sequence(lambda n: f"dept-{n}")
    name = factory.Sequence(lambda n: f"制造{n}部")
    email = factory.LazyAttribute(lambda o: f"{o.code}@company.example")


class PositionCategoryFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PositionCategory
        django_get_or_create = ("code",)

    code = "frontline"
    name = "一线"


class PositionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Position

    code = factory.Sequence(lambda n: f"P{n:05d}")
    title = factory.Sequence(lambda n: f"装配技术员{n}")
    department = factory.SubFactory(DepartmentFactory)
    category = factory.SubFactory(PositionCategoryFactory)
    recruiter = factory.SubFactory(UserFactory, recruiter=True)
    city = "深圳"


class SlotFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Slot

    position = factory.SubFactory(PositionFactory)
    starts_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=3))
    ends_at = factory.LazyAttribute(lambda o: o.starts_at + timedelta(minutes=30))
    capacity = 10


class SlotSeriesFactory(factory.django.DjangoModelFactory):
    """Every day at ten, from today on, half an hour, two places; it has made no slots yet."""

    class Meta:
        model = SlotSeries

    position = factory.SubFactory(PositionFactory)
    weekdays = factory.LazyFunction(lambda: [0, 1, 2, 3, 4, 5, 6])
    times = factory.LazyFunction(lambda: [time(10)])
    capacity = 2
    since = factory.LazyFunction(timezone.localdate)


class ApplicationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Application

    candidate = factory.SubFactory(CandidateFactory)
    position = factory.SubFactory(PositionFactory)
    stage = Stage.AI_INTERVIEW
    applied_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=7))
    screened_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=5))


class StageGateFactory(factory.django.DjangoModelFactory):
    """Before the second interview a health certificate, valid on that day; or (`score`) at least
    60 for nights, else the application ends."""

    class Meta:
        model = StageGate

    class Params:
        score = factory.Trait(
            kind="score",
            name_zh="夜班适应",
            name_en="Night shift",
            expires=False,
            dimension="nights",
            minimum=60,
            below="ends",
        )

    position = factory.SubFactory(PositionFactory)
    stage = Stage.SECOND_INTERVIEW
    kind = "document"
    name_zh = "健康证"
    name_en = "Health certificate"
    expires = True


PDF = b"%PDF-1.7 and so on"


class DocumentFactory(factory.django.DjangoModelFactory):
    """Just handed in, valid for a year; nobody has looked at it."""

    class Meta:
        model = Document

    application = factory.SubFactory(ApplicationFactory)
    gate = factory.SubFactory(
        StageGateFactory, position=factory.SelfAttribute("..application.position")
    )
    content_type = "application/pdf"
    data = PDF
    size = len(PDF)
    uploaded_at = factory.LazyFunction(timezone.now)
    expires_on = factory.LazyFunction(lambda: timezone.localdate() + timedelta(days=365))


class InterviewFactory(factory.django.DjangoModelFactory):
    """A booked AI interview three days ahead, with a slot, unless told otherwise.

    `starts_in` moves it; `candidate`, `position`, `department` may be given directly.
    """

    class Meta:
        model = Interview
        exclude = ("starts_in",)

    class Params:
        starts_in = timedelta(days=3)
        candidate = factory.SubFactory(CandidateFactory)
        department = factory.SubFactory(DepartmentFactory)
        position = factory.SubFactory(
            PositionFactory, department=factory.SelfAttribute("..department")
        )
        invited = factory.Trait(
            status=InterviewStatus.INVITED, slot=None, starts_at=None, ends_at=None, booked_at=None
        )
        in_progress = factory.Trait(
            status=InterviewStatus.IN_PROGRESS, starts_in=timedelta(minutes=-10)
        )
        completed = factory.Trait(status=InterviewStatus.COMPLETED, starts_in=timedelta(days=-1))
        no_show = factory.Trait(status=InterviewStatus.NO_SHOW, starts_in=timedelta(days=-1))

    application = factory.SubFactory(
        ApplicationFactory,
        candidate=factory.SelfAttribute("..candidate"),
        position=factory.SelfAttribute("..position"),
    )
    status = InterviewStatus.BOOKED
    starts_at = factory.LazyAttribute(lambda o: timezone.now() + o.starts_in)
    ends_at = factory.LazyAttribute(lambda o: o.starts_at + timedelta(minutes=30))
    slot = factory.SubFactory(
        SlotFactory,
        position=factory.SelfAttribute("..application.position"),
        starts_at=factory.SelfAttribute("..starts_at"),
        ends_at=factory.SelfAttribute("..ends_at"),
        booked=1,
    )
    booked_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=2))
    link = "https://interview.example/room"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        interview = super()._create(model_class, *args, **kwargs)
        history.record(interview, "booked" if interview.booked_at else "invited", by=None)
        return interview


def question(number, stage="introduction", *, seconds=None, may_speak=False):
    """One of those a sitting keeps."""
    texts = {"zh": f"第{number}题", "en": f"Question {number}"}
    return {
        "number": number, "stage": stage, **texts, "seconds": seconds, "may_speak": may_speak
    }  # fmt: skip


class SittingFactory(factory.django.DjangoModelFactory):
    """Somebody in the room, entered two minutes ago and seen just now, the first of three questions
    in front of them; the second has a time limit and may be spoken."""

    class Meta:
        model = Sitting

    class Params:
        ended = factory.Trait(ended_at=factory.LazyFunction(timezone.now), ending="completed")

    interview = factory.SubFactory(InterviewFactory, in_progress=True, link="")
    questions = factory.LazyFunction(
        lambda: [
            question(1),
            question(2, "professional", seconds=120, may_speak=True),
            question(3, "closing"),
        ]
    )
    current = 1
    entered_at = factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=2))
    last_seen_at = factory.LazyFunction(timezone.now)
    resume_until = factory.LazyAttribute(lambda o: o.entered_at + timedelta(hours=24))
    may_record = True

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        sitting = super()._create(model_class, *args, **kwargs)
        Answer.objects.bulk_create(
            Answer(sitting=sitting, number=each["number"]) for each in sitting.questions
        )
        RoomEvent.objects.create(sitting=sitting, kind="entered", at=sitting.entered_at)
        return sitting


class CancellationFactory(factory.django.DjangoModelFactory):
    """A request two hours before the start that waits for HR, its interview `cancelling`."""

    class Meta:
        model = Cancellation

    class Params:
        approved = factory.Trait(
            status=CancellationStatus.APPROVED, decided_at=factory.LazyFunction(timezone.now)
        )

    interview = factory.Maybe(
        "approved",
        factory.SubFactory(
            InterviewFactory,
            status=InterviewStatus.CANCELLED,
            slot=None,
            starts_in=timedelta(hours=2),
        ),
        factory.SubFactory(
            InterviewFactory, status=InterviewStatus.CANCELLING, starts_in=timedelta(hours=2)
        ),
    )
    requested_by = factory.LazyAttribute(lambda o: o.interview.candidate.user)
    reason = factory.LazyFunction(
        lambda: Reason.objects.get(purpose=Purpose.CANCEL, code="time_conflict")
    )
    requested_at = factory.LazyFunction(timezone.now)
    starts_at = factory.LazyAttribute(lambda o: o.interview.starts_at)
    notice = timedelta(hours=2)
    outcome = "needs_hr"
    policy = factory.LazyFunction(lambda: {"promised_minutes": 15, "default": "approve"})
    decide_by = factory.LazyAttribute(lambda o: o.starts_at - timedelta(minutes=30))

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        """Work waits with it; what HR decided has been its work."""
        cancellation = super()._create(model_class, *args, **kwargs)
        if cancellation.outcome == "needs_hr" and cancellation.decide_by:
            WorkItemFactory(
                cancellation=cancellation, closed_at=cancellation.decided_at, kind="cancellation"
            )
        return cancellation


class WorkItemFactory(factory.django.DjangoModelFactory):
    """A follow-up about an interview, due in two hours; or the work a cancellation makes."""

    class Meta:
        model = WorkItem

    class Params:
        cancellation = None
        interview = factory.Maybe(
            "cancellation",
            factory.SelfAttribute("cancellation.interview"),
            factory.SubFactory(InterviewFactory),
        )

    kind = "follow_up"
    audience = factory.LazyAttribute(lambda o: o.interview.position.department.audience)
    subject = factory.LazyAttribute(lambda o: o.interview.subject)
    params = factory.LazyAttribute(
        lambda o: {"receipt": o.cancellation.reference} if o.cancellation else {}
    )
    opened_at = factory.LazyFunction(timezone.now)
    due_at = factory.LazyAttribute(
        lambda o: o.cancellation.decide_by if o.cancellation else o.opened_at + timedelta(hours=2)
    )


class WaitingEntryFactory(factory.django.DjangoModelFactory):
    """Somebody who cancelled a week from now because of the time and waits for another."""

    class Meta:
        model = WaitingEntry

    class Params:
        asked = factory.Trait(why=Why.ASKED)

    interview = factory.SubFactory(
        InterviewFactory,
        status=InterviewStatus.CANCELLED,
        slot=None,
        ended_at=factory.LazyFunction(timezone.now),
        starts_in=timedelta(days=7),
        position=factory.SelfAttribute("..position"),
    )
    position = factory.SubFactory(PositionFactory)
    kind = "ai"
    candidate = factory.LazyAttribute(lambda o: o.interview.candidate)
    application = factory.LazyAttribute(lambda o: o.interview.application)
    why = Why.TIME_CONFLICT
    since = factory.LazyFunction(timezone.now)


class FreedPlaceFactory(factory.django.DjangoModelFactory):
    """A place that came free a moment ago."""

    class Meta:
        model = FreedPlace

    slot = factory.SubFactory(
        SlotFactory,
        capacity=1,
        starts_at=factory.Sequence(lambda n: timezone.now() + timedelta(days=3, minutes=n % 1000)),
    )
    at = factory.LazyFunction(timezone.now)


class OfferFactory(factory.django.DjangoModelFactory):
    """A place kept for somebody for an hour: the slot counts it."""

    class Meta:
        model = Offer

    place = factory.SubFactory(FreedPlaceFactory, slot__booked=1)
    slot = factory.SelfAttribute("place.slot")
    entry = factory.SubFactory(
        WaitingEntryFactory, position=factory.SelfAttribute("..place.slot.position")
    )
    made_at = factory.LazyFunction(timezone.now)
    held_until = factory.LazyAttribute(lambda o: o.made_at + timedelta(hours=1))


class AbsenceFactory(factory.django.DjangoModelFactory):
    """Somebody did not come yesterday to our own room, and HR has not decided about it."""

    class Meta:
        model = Absence

    interview = factory.SubFactory(InterviewFactory, no_show=True, link="")
    starts_at = factory.SelfAttribute("interview.starts_at")
    code = "missed"
    opened_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        """Work waits with it."""
        absence = super()._create(model_class, *args, **kwargs)
        WorkItemFactory(
            interview=absence.interview,
            kind="absence",
            params={"code": absence.code, "absence": absence.reference},
        )
        return absence


class MarkFactory(factory.django.DjangoModelFactory):
    """An absence of yesterday, held against somebody for half a year."""

    class Meta:
        model = Mark

    class Params:
        missed = factory.SubFactory(InterviewFactory, no_show=True, link="")

    candidate = factory.SelfAttribute("missed.candidate")
    interview = factory.SelfAttribute("missed.reference")
    starts_at = factory.SelfAttribute("missed.starts_at")
    evidence = factory.LazyFunction(lambda: {"obstacles": []})
    set_by = factory.SubFactory(UserFactory, recruiter=True)
    set_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyAttribute(lambda o: o.set_at + timedelta(days=180))


def tell(interview, event="interview_reminder", state="delivered", **fields) -> Notification:
    """Something was written to the candidate about it, and got so far."""
    user = interview.candidate.user
    now = timezone.now()
    number = Notification.objects.count()
    return Notification.objects.create(
        **{
            "event": event,
            "channel": "sms",
            "recipient": f"user:{user.pk}",
            "address": user.mobile,
            "language": "en",
            "subject": interview.subject,
            "dedupe_key": f"{event}:{interview.reference}:{number}",
            "state": state,
            "not_before": now,
            "created_at": now,
            "sent_at": None if state in {"queued", "sending"} else fields.get("created_at", now),
            **fields,
        }
    )
