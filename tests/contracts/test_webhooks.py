"""Events to other systems: real HTTP to receivers that behave, and to those that do not."""

import hashlib
import hmac
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cancellations import services
from cancellations.models import Reason
from interviews import history
from interviews.models import Interview
from interviews.receivers import tell_webhooks
from notifications import webhooks
from notifications.channels import webhook as channel
from notifications.models import Notification, State, Webhook, WebhookDelivery
from tests.contracts.receiver import Receiver
from tests.factories import (
    DepartmentFactory,
    InterviewFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

SECRET = "whsec_test"


@pytest.fixture(autouse=True)
def _receivers_are_here(settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.PROVIDER_TIMEOUT = 1


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def hook_for(receiver, **fields) -> Webhook:
    given = {"name": "ATS", "url": receiver.url, "secret": SECRET, **fields}
    return Webhook.objects.create(**given)


def something_happens(**given) -> Interview:
    """A candidate cancels in time: two entries of history."""
    interview = InterviewFactory(**given)
    WebhookDelivery.objects.all().delete()  # what making it told
    reason = Reason.objects.get(purpose="cancel", code="time_conflict")
    services.request_cancellation(
        interview.reference, by=interview.candidate.user, reason=reason, detail="private words"
    )
    return interview


def deliver(*, seconds=10) -> int:
    return webhooks.deliver_due(seconds=seconds)


def states():
    return list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))


# --- What is sent -------------------------------------------------------------------------------


def test_each_event_arrives_signed_and_names_nobody(receiver):
    hook_for(receiver)
    interview = something_happens(candidate__user__name="欧阳娜娜")

    assert deliver() == 2

    requested, cancelled = sorted(
        (json.loads(each.body) for each in receiver.received), key=lambda body: body["id"]
    )
    entry = interview.history.get(event="cancelled")
    assert [requested["event"], cancelled["event"]] == ["cancellation_requested", "cancelled"]
    assert cancelled["id"] == f"{interview.reference}-{entry.sequence}"
    assert cancelled["interview"] == {"reference": interview.reference, "status": "cancelled"}
    assert datetime.fromisoformat(cancelled["at"]) == entry.at.replace(
        microsecond=entry.at.microsecond // 1000 * 1000
    )
    assert set(cancelled["data"]) >= {"receipt", "decided_by"}
    assert requested["data"]["reason"] == "time_conflict"
    for each in receiver.received:
        text = each.body.decode() + str(each.headers)
        user = interview.candidate.user
        for private in (user.name, user.mobile, "private words", "欧阳"):
            assert private not in text
    assert states() == [State.DELIVERED] * 2


def check(secret, header, body, *, now, tolerance=300) -> bool:
    """As docs/api.md tells receivers to."""
    parts = [part.split("=", 1) for part in header.split(",")]
    at = next(value for name, value in parts if name == "t")
    if abs(now - int(at)) > tolerance:
        return False
    expected = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(expected, value) for name, value in parts if name == "v1")


def test_signature_proves_body_and_time(receiver):
    hook_for(receiver)
    something_happens()
    deliver()
    got = receiver.received[0]
    header, now = got.headers["Mianyue-Signature"], time.time()

    assert check(SECRET, header, got.body, now=now)
    assert not check("whsec_other", header, got.body, now=now)
    assert not check(SECRET, header, got.body + b" ", now=now)
    assert not check(SECRET, header, got.body, now=now + 301)
    assert not check(SECRET, header.replace("t=", "t=1"), got.body, now=now)


def test_both_secrets_sign_while_one_replaces_the_other(receiver):
    hook = webhooks.rotate_secret(hook_for(receiver).pk)
    assert hook.secret != SECRET
    something_happens()
    deliver()
    got = receiver.received[0]
    header = got.headers["Mianyue-Signature"]

    assert check(SECRET, header, got.body, now=time.time())
    assert check(hook.secret, header, got.body, now=time.time())

    Webhook.objects.update(previous_until=timezone.now())
    something_happens()
    deliver()
    got = receiver.received[-1]
    assert not check(SECRET, got.headers["Mianyue-Signature"], got.body, now=time.time())
    assert check(hook.secret, got.headers["Mianyue-Signature"], got.body, now=time.time())


def test_secret_the_receiver_has_signs_on_however_often_another_is_made(receiver):
    hook = hook_for(receiver)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = webhooks.rotate_secret(hook.pk)
        clock.shift(timedelta(hours=23))
        second = webhooks.rotate_secret(hook.pk)
        assert second.secret != first.secret
        assert second.previous_until == first.previous_until
        something_happens()
        deliver()
        got = receiver.received[0]
        signed = got.headers["Mianyue-Signature"], got.body
        assert check(SECRET, *signed, now=time.time())
        assert check(second.secret, *signed, now=time.time())
        assert not check(first.secret, *signed, now=time.time())

        clock.shift(timedelta(hours=2))
        third = webhooks.rotate_secret(hook.pk)
    assert third.previous_secret == second.secret


def test_request_is_what_the_documentation_says(receiver):
    hook_for(receiver)
    something_happens()
    deliver()
    got = receiver.received[0]

    assert got.path == "/hooks?from=mianyue"
    assert got.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["Content-Type"] == "application/json"
    body = json.loads(got.body)
    assert got.headers["Mianyue-Event"] == body["event"]
    assert got.headers["Mianyue-Event-Id"] == body["id"]


# --- To whom ------------------------------------------------------------------------------------


def test_only_its_departments_and_events_are_sent(receiver):
    here, elsewhere = DepartmentFactory(), DepartmentFactory()
    hook_for(receiver, audiences=[here.audience], events=["cancelled"])

    something_happens(department=elsewhere)
    assert deliver() == 0
    interview = something_happens(department=here)
    assert deliver() == 1

    assert [json.loads(each.body)["interview"]["reference"] for each in receiver.received] == [
        interview.reference
    ]


def test_department_taken_away_meanwhile_is_not_sent_any_more(receiver):
    here, elsewhere = DepartmentFactory(), DepartmentFactory()
    hook_for(receiver, audiences=[here.audience])
    something_happens(department=here)
    Webhook.objects.update(audiences=[elsewhere.audience])

    deliver()

    assert receiver.received == []
    assert states() == [State.SUPERSEDED] * 2


def test_webhook_switched_off_is_told_once_it_is_on_again_and_in_order(receiver):
    hook = hook_for(receiver, is_active=False, events=["cancelled"])
    happened = [something_happens_then(each) for each in range(3)]

    assert deliver() == 0
    assert states() == [State.QUEUED] * 3
    webhooks.switch(hook.pk, on=True)
    assert deliver() == 3

    told = [json.loads(each.body)["interview"]["reference"] for each in receiver.received]
    assert told == happened


def something_happens_then(number) -> str:
    """What is known of it already stays; its reference."""
    with time_machine.travel(timezone.now() - timedelta(days=9 - number)):
        interview = InterviewFactory()
        reason = Reason.objects.get(purpose="cancel", code="time_conflict")
        services.request_cancellation(
            interview.reference, by=interview.candidate.user, reason=reason
        )
    return interview.reference


def test_switched_on_it_is_told_what_it_has_not_taken_since_it_began_to_fail(receiver):
    now = timezone.now()
    hook = hook_for(receiver, is_active=False, failing_since=now - timedelta(days=3), failures=20)
    tried = {"taken": -1, "given_up": 50, "between": 70, "long_ago": 100}
    kept = {"taken": State.DELIVERED, "between": State.QUEUED}
    for event_id, hours in tried.items():
        hook.deliveries.create(
            event_id=event_id,
            body="{}",
            state=kept.get(event_id, State.FAILED),
            attempts=9,
            created_at=now - timedelta(hours=hours),
            tried_at=now - timedelta(hours=hours),
            not_before=now + timedelta(hours=5),
        )

    webhooks.switch(hook.pk, on=True)
    deliver()

    sent = [each.headers["Mianyue-Event-Id"] for each in receiver.received]
    assert sent == ["between", "given_up"]


def test_what_is_rolled_back_is_not_told(receiver):
    hook_for(receiver)
    with transaction.atomic():
        something_happens()
        transaction.set_rollback(True)

    assert deliver() == 0


def test_history_told_twice_is_one_delivery(receiver):
    hook_for(receiver)
    interview = something_happens()
    entries = list(interview.history.all())

    tell_webhooks(entries[-2:])

    assert len(states()) == 2


def test_without_webhooks_an_event_costs_one_cheap_query(django_assert_num_queries):
    interview = InterviewFactory()
    with transaction.atomic(), django_assert_num_queries(3) as told:
        history.record(interview, "work_opened", "work_resolved", by=None)

    assert "notifications_webhook" in told[-1]["sql"]


# --- Receivers that do not take it --------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [
        (500, "http_500", 500),
        (404, "http_404", 404),
        (("redirect", "https://elsewhere.example/"), "http_307", 307),
        ("hang", "timeout", None),
        ("drip", "timeout", None),
        ("close", "unreachable", None),
    ],
)
def test_what_is_not_taken_is_tried_again(receiver, answer, code, status):
    hook_for(receiver, events=["cancelled"])
    receiver.answers.append(answer)
    something_happens()

    begun = time.monotonic()
    deliver()
    assert time.monotonic() - begun < 5

    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.error_code, delivery.status_code) == (
        State.QUEUED,
        code,
        status,
    )
    waits = (delivery.not_before - timezone.now()).total_seconds()
    assert 5 < waits <= 10
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        deliver()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == (State.DELIVERED, 2)
    assert receiver.received[0].body == receiver.received[1].body
    assert Webhook.objects.get().failing_since is None


def test_receiver_that_is_not_there_is_tried_again():
    with Receiver() as gone:
        hook_for(gone, events=["cancelled"])
    something_happens()

    deliver()

    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.error_code) == (State.QUEUED, "unreachable")


def test_hanging_receiver_holds_nobody_up(receiver):
    with Receiver() as bad:
        bad.answers.extend(["hang"] * 10)
        hook_for(bad)
        for _ in range(3):
            hook_for(receiver)
        something_happens()
        begun = time.monotonic()
        deliver()
        took = time.monotonic() - begun

    assert len(receiver.received) == 6
    assert len(bad.received) == 1  # then it is left alone for a while
    assert took < 3


def test_events_that_come_while_a_webhook_rests_wait_with_it(receiver):
    hook = hook_for(receiver, events=["cancelled"])
    receiver.answers.append(500)
    something_happens()
    deliver()
    rests_until = Webhook.objects.get().rests_until

    something_happens()

    assert deliver() == 0
    assert WebhookDelivery.objects.order_by("-pk").first().not_before == rests_until
    with time_machine.travel(rests_until + timedelta(seconds=1)):
        assert deliver() >= 1
    assert Webhook.objects.get(pk=hook.pk).rests_until is None


def test_it_is_tried_for_two_days_and_then_given_up(receiver, settings):
    settings.WEBHOOK_OFF_AFTER = timedelta(days=30)
    hook_for(receiver, events=["cancelled"])
    receiver.answers.extend([500] * 20)
    something_happens()
    waits = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        while WebhookDelivery.objects.get().state == State.QUEUED:
            deliver()
            delivery = WebhookDelivery.objects.get()
            if delivery.state == State.QUEUED:
                waits.append((delivery.not_before - timezone.now()).total_seconds())
                clock.shift(waits[-1] + 1)

    assert waits == [10, 60, 300, 1800, 7200, 21600, 43200, 86400]
    assert delivery.state == State.FAILED
    assert len(receiver.received) == 9


def test_after_days_without_one_arrival_it_is_switched_off_and_administrators_are_told(receiver):
    administrator = UserFactory(administrator=True, language="en")
    UserFactory(lead=True)
    hook_for(receiver, events=["cancelled"])
    receiver.answers.extend([500] * 20)
    something_happens()
    deliver()
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=3))
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        deliver()

    hook = Webhook.objects.get()
    assert not hook.is_active
    told = Notification.objects.filter(event="webhook_switched_off")
    assert {(each.recipient, each.channel) for each in told} == {
        (f"user:{administrator.pk}", "desk"),
        (f"user:{administrator.pk}", "email"),
    }
    webhooks.switch(hook.pk, on=True)
    hook = Webhook.objects.get()
    assert (hook.is_active, hook.failing_since, hook.failures) == (True, None, 0)


def test_one_arrival_ends_a_row_of_failures(receiver):
    hook_for(receiver, events=["cancelled"], failing_since=timezone.now() - timedelta(days=2))
    something_happens()
    deliver()

    hook = Webhook.objects.get()
    assert (hook.failing_since, hook.failures, hook.is_active) == (None, 0, True)


def test_replay_sends_the_same_event_again(receiver):
    hook_for(receiver, events=["cancelled"])
    something_happens()
    deliver()
    delivery = WebhookDelivery.objects.get()

    assert webhooks.replay(delivery.pk)
    assert not webhooks.replay(delivery.pk)  # it is on its way
    deliver()

    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["Mianyue-Event-Id"] == second.headers["Mianyue-Event-Id"]


@pytest.mark.parametrize("way", ["ping", "replay"])
def test_who_asks_for_one_event_does_not_wait_until_the_webhook_has_rested(receiver, way):
    hook = hook_for(receiver)
    old = hook.deliveries.create(
        event_id="x", body="{}", state=State.FAILED, not_before=hook.created_at,
        created_at=hook.created_at,
    )  # fmt: skip
    Webhook.objects.update(rests_until=timezone.now() + timedelta(minutes=9))

    webhooks.ping(hook.pk) if way == "ping" else webhooks.replay(old.pk)

    assert deliver() == 1


def test_ping_arrives(receiver):
    webhooks.ping(hook_for(receiver, audiences=["department:1"], events=["cancelled"]).pk)
    deliver()

    assert json.loads(receiver.received[0].body)["event"] == "ping"


def test_what_a_dead_worker_left_is_taken_up_when_its_lease_ends(receiver):
    hook_for(receiver, events=["cancelled"])
    something_happens()
    assert webhooks.claim(timezone.now()) is not None
    assert deliver() == 0

    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert deliver() == 1
    assert states() == [State.DELIVERED]


def test_who_comes_back_after_the_lease_changes_nothing(receiver):
    hook_for(receiver, events=["cancelled"])
    something_happens()
    late = webhooks.claim(timezone.now())
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        deliver()

    webhooks.finish(late, webhooks.Outcome(None, "timeout", 1))

    assert states() == [State.DELIVERED]
    assert Webhook.objects.get().failures == 0


def test_log_is_kept_for_a_month():
    hook = Webhook.objects.create(name="x", url="https://x.example/", secret=SECRET)
    now = timezone.now()
    for number, (days, state) in enumerate(
        [(31, State.DELIVERED), (31, State.QUEUED), (29, State.FAILED)]
    ):
        WebhookDelivery.objects.create(
            webhook=hook,
            event_id=str(number),
            not_before=now,
            state=state,
            created_at=now - timedelta(days=days),
        )

    webhooks.forget_old()
    assert states() == [State.QUEUED, State.FAILED]

    webhooks.switch(hook.pk, on=False)
    webhooks.forget_old()
    assert states() == [State.FAILED]


def test_those_that_are_off_or_rest_cost_the_others_nothing(receiver):
    now = timezone.now()
    rests = {"rests_until": now + timedelta(minutes=5)}
    for fields in ({"is_active": False}, rests, {}):
        hook = hook_for(receiver, **fields)
        WebhookDelivery.objects.bulk_create(
            WebhookDelivery(
                webhook=hook, event_id=number, body="{}", not_before=now, created_at=now
            )
            for number in range(1 if hook.is_active and not hook.rests_until else 3000)
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_webhook")
        cursor.execute("ANALYZE notifications_webhookdelivery")

    with CaptureQueriesContext(connection) as captured:
        assert webhooks.claim(timezone.now()).webhook == hook

    read = 0
    with connection.cursor() as cursor:
        for query in captured:
            if query["sql"].startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
                read += deliveries_read(cursor.fetchone()[0][0]["Plan"])
    assert read < 10


def deliveries_read(plan) -> float:
    own = 0
    if plan.get("Relation Name") == "notifications_webhookdelivery":
        seen = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        own = plan["Actual Loops"] * seen
    return own + sum(deliveries_read(each) for each in plan.get("Plans", []))


def test_secrets_are_ciphertext_in_the_database():
    Webhook.objects.create(name="x", url="https://x.example/", secret=SECRET)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM notifications_webhook")
        assert SECRET not in cursor.fetchone()[0]


# --- Where it may go ----------------------------------------------------------------------------


def leads_to(monkeypatch, *addresses):
    def resolve(host, port, *args, **kwargs):
        family = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (each, port))
            for kind, each in zip(family, addresses, strict=True)
        ]

    monkeypatch.setattr(channel.socket, "getaddrinfo", resolve)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["172.16.0.1"],
        ["192.168.1.1"],
        ["169.254.169.254"],  # where clouds keep a machine's credentials
        ["100.64.0.1"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        ["198.18.0.1"],
        ["::1"],
        ["::"],
        ["fe80::1%eth0"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["2001:0:7f00:1::"],
        ["ff02::1"],
        ["fec0::1"],
        ["93.184.215.14", "10.0.0.1"],  # one good address does not make up for a bad one
    ],
)
def test_addresses_inside_are_refused(monkeypatch, settings, addresses):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    leads_to(monkeypatch, *addresses)

    with pytest.raises(channel.BadAddress) as refused:
        channel.look_at("https://receiver.example/hooks")

    assert refused.value.code == "private_address"


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_addresses_outside_are_not(monkeypatch, settings, address):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    leads_to(monkeypatch, address)

    target = channel.look_at("https://receiver.example:8443/a%20b?c=d")

    assert target.addresses == [address]
    assert (target.port, target.path) == (8443, "/a%20b?c=d")
    assert target.host_header == "receiver.example:8443"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://receiver.example/", "not_https"),
        ("ftp://receiver.example/", "not_https"),
        ("receiver.example", "not_https"),
        ("", "not_https"),
        ("javascript:alert(1)", "not_https"),
        ("https://user:pass@receiver.example/", "credentials"),
        ("https://", "malformed"),
        ("https:///path", "malformed"),
        ("https://receiver.example:0/", "malformed"),
        ("https://receiver.example:99999/", "malformed"),
        ("https://receiver.example:x/", "malformed"),
        ("https://receiver.exa mple/", "malformed"),
        ("https://receiver.example/\r\nX-Evil: 1", "malformed"),
        ("https://receiver.example/\x00", "malformed"),
        ("https://receiver.example\\@evil.example/", "malformed"),
        ("https://[::1", "malformed"),
        ("https://" + "a" * 600, "malformed"),
    ],
)
def test_bad_addresses_are_refused_before_anybody_is_asked(monkeypatch, settings, url, code):
    settings.WEBHOOK_ALLOW_HTTP = False
    monkeypatch.setattr(channel.socket, "getaddrinfo", None)

    with pytest.raises(channel.BadAddress) as refused:
        channel.look_at(url)

    assert refused.value.code == code


def test_unknown_host_is_refused(monkeypatch):
    def nowhere(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(channel.socket, "getaddrinfo", nowhere)

    with pytest.raises(channel.BadAddress) as refused:
        channel.look_at("https://nowhere.example/")

    assert refused.value.code == "unknown_host"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "localhost", "0"])
def test_other_spellings_of_this_machine_are_refused(settings, host):
    settings.WEBHOOK_ALLOW_PRIVATE = False

    with pytest.raises(channel.BadAddress):
        channel.look_at(f"https://{host}/")


def test_name_that_moves_inside_later_is_refused_then(monkeypatch, settings, receiver):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    hook_for(receiver, url=f"http://receiver.example:{receiver.port}/", events=["cancelled"])
    leads_to(monkeypatch, "127.0.0.1")
    something_happens()

    deliver()

    assert WebhookDelivery.objects.get().error_code == "private_address"
    assert receiver.received == []


def test_connection_goes_to_the_address_that_was_looked_at(monkeypatch, receiver):
    """The name is asked once: another answer a moment later (DNS rebinding) is never heard."""
    asked = []

    def resolve(host, port, *args, **kwargs):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    real = socket.getaddrinfo
    monkeypatch.setattr(
        channel.socket,
        "getaddrinfo",
        lambda host, *args, **kwargs: (
            resolve(host, *args, **kwargs)
            if host == "receiver.example"
            else real(host, *args, **kwargs)
        ),
    )
    url = f"http://receiver.example:{receiver.port}/"

    channel.send(url, b"{}", secrets=[SECRET], headers={})

    assert asked == ["receiver.example"]
    assert receiver.received[0].headers["Host"] == f"receiver.example:{receiver.port}"


def test_in_the_demo_nothing_leaves_the_machine(monkeypatch, settings):
    settings.MESSAGES_STAY_HERE = True
    leads_to(monkeypatch, "93.184.215.14")
    with pytest.raises(channel.BadAddress):
        channel.look_at("https://receiver.example/")
    leads_to(monkeypatch, "127.0.0.1")
    assert channel.look_at("http://localhost:9000/")


# --- TLS ----------------------------------------------------------------------------------------


def certificate_for(name, folder) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return str(file)


@pytest.mark.parametrize(
    ("name", "trusted", "code"),
    [
        ("receiver.example", True, ""),
        ("receiver.example", False, "tls"),
        ("somebody.example", True, "tls"),
    ],
)
def test_certificate_is_checked_against_the_name(monkeypatch, tmp_path, name, trusted, code):
    file = certificate_for(name, tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", file)
    real = socket.getaddrinfo
    monkeypatch.setattr(
        channel.socket,
        "getaddrinfo",
        lambda host, *args, **kwargs: real(
            "127.0.0.1" if host == "receiver.example" else host, *args, **kwargs
        ),
    )
    with Receiver(certificate=file) as receiver:
        url = f"https://receiver.example:{receiver.port}/"
        if not code:
            assert channel.send(url, b"{}", secrets=[SECRET], headers={}) == 200
            return
        with pytest.raises(channel.NotTaken) as refused:
            channel.send(url, b"{}", secrets=[SECRET], headers={})
        assert refused.value.code == code
        assert receiver.received == []


# --- At the same moment -------------------------------------------------------------------------


def meanwhile(call) -> tuple[threading.Thread, list[object]]:
    """Begin it over a connection of its own; what came of it is appended once it has ended."""
    ended: list[object] = []

    def run():
        try:
            ended.append(call())
        except Exception as error:
            ended.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(0.5)
    return thread, ended


def happens(number) -> None:
    webhooks.store([webhooks.Event(f"x-{number}", "cancelled", "department:1", {})])


@pytest.mark.django_db(transaction=True)
def test_webhook_is_removed_after_what_is_being_stored_for_it(receiver):
    hook = hook_for(receiver)
    with transaction.atomic():
        happens(1)
        removal, removed = meanwhile(lambda: webhooks.remove(hook.pk))
        assert removed == []
        happens(2)

    removal.join(10)
    assert [str(each) for each in removed] == ["ATS"]
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_happens_while_a_webhook_is_removed_is_not_stored_for_it(receiver):
    hook = hook_for(receiver)
    with transaction.atomic():
        webhooks.remove(hook.pk)
        storing, stored = meanwhile(lambda: happens(1))
        assert stored == []

    storing.join(10)
    assert stored == [None]
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_long_transaction_that_stores_events_holds_no_delivery_up(receiver):
    hook_for(receiver)
    happens(1)
    with transaction.atomic():
        happens(2)
        delivery, tries = meanwhile(deliver)
        delivery.join(10)
        assert tries == [1]


@pytest.mark.django_db(transaction=True)
def test_one_worker_delivers_at_a_time(receiver):
    hook_for(receiver)
    something_happens()
    receiver.answers.append("hang")
    tries = []

    def work():
        try:
            tries.append(deliver(seconds=1))
        finally:
            connection.close()

    first = threading.Thread(target=work)
    first.start()
    until = time.monotonic() + 5
    while not receiver.received and time.monotonic() < until:
        time.sleep(0.01)
    assert deliver() == 0
    first.join(20)

    assert tries[0] >= 1
    sent = [each.headers["Mianyue-Event-Id"] for each in receiver.received]
    assert len(sent) == len(set(sent))
