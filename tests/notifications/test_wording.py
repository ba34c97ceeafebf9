"""Words of the company's own: what is let through, and what they come to."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from accounts.models import ConfigurationChange
from notifications import rendering, wording
from notifications.models import MessageTemplate
from notifications.rendering import Source
from tests.notifications.messages import told

EVENT = "cancellation_done"


def wrong(body, *, title="", event=EVENT, channel="sms") -> str:
    with translation.override("en"), pytest.raises(ValidationError) as refused:
        wording.check(event, channel, Source(title, body), "en")
    return " ".join(refused.value.messages)


GOOD = "{{ position }}: {{ receipt }}"


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        GOOD + "{% if starts_at %}, {{ starts_at }}{% endif %}",
        GOOD + '{% if kind == "on_site" %}there{% elif talent_pool %}x{% else %}online{% endif %}',
        GOOD + "{{ note|truncatechars:80 }} {{ hotline }} {{ public_url }} {{ starts_on }}",
        GOOD + '{% include "notifications/kind.en.txt" %}',
        GOOD + "{# nothing #}",
        "{{ position|truncatechars:20 }} {% if receipt %}{{ receipt }}{% endif %}",
        "{{ position }} {% if note %}x {{ receipt }}{% else %}{{ receipt }}{% endif %}",
        GOOD + " None of this costs you anything.",
        "100 % of {{ position }} {{ receipt }} } {",
    ],
)
def test_simple_words_are_let_through(body):
    body = body.replace("{{ starts_on }}", "{% if starts_on %}{{ starts_on }}{% endif %}")
    wording.check(EVENT, "sms", Source("", body), "en")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Write a text"),
        ("{{ position }}", "{{ receipt }} has to stand"),
        ("{{ position }}: {{ receipt|truncatechars:5 }}", "{{ receipt }} has to stand"),
        ("{{ position }}{% if location %} {{ receipt }}{% endif %}", "{{ receipt }} has to stand"),
        ("{{ position }}{% if 0 %} {{ receipt }}{% endif %}", "{{ receipt }} has to stand"),
        (
            "{{ position }}{% if note %}x{% else %}{{ receipt }}{% endif %}",
            "{{ receipt }} has to stand",
        ),
        ("{{ position }} {% if receipt %}yes{% endif %}", "{{ receipt }} has to stand"),
        ("{{ position }} {# {{ receipt }} #}", "{{ receipt }} has to stand"),
        ("{{ position }} {{ recipt }}", "recipt is not known"),
        (GOOD + "{{ candidate.user.password }}", "cannot stand here"),
        (GOOD + "{{ candidate.name }}", "is not known"),
        (GOOD + "{{ position.__class__ }}", "cannot stand here"),
        (GOOD + "{{ note|safe }}", "cannot stand here"),
        (GOOD + "{{ request }}", "not known"),
        (GOOD + "{% load i18n %}", "cannot stand here"),
        (GOOD + "{% debug %}", "cannot stand here"),
        (GOOD + '{% include "base.html" %}', "cannot stand here"),
        (GOOD + '{% include "notifications/nothing.en.txt" %}', "no piece called"),
        (GOOD + '{% include "notifications/../base.html" %}', "cannot stand here"),
        (GOOD + "{% if nothing %}x{% endif %}", "not known"),
        (GOOD + "{% if note %}x", "cannot be read"),
        (GOOD + "{% for each in interviews %}x{% endfor %}", "not known"),
        (GOOD + "{% for each in note %}x{% endfor %}", "not known"),
        (GOOD + "{{ starts_at }}", "None"),
        (GOOD + "{{ }}", "cannot stand here"),
        (GOOD + "{% if forloop.last %}x{% endif %}", "not known"),
    ],
)
def test_everything_else_is_refused_and_says_why(body, said):
    assert said in wrong(body)


LINK = "{{ public_url }}/c/{{ token }}/"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{ starts_at }}", "{{ token }} has to stand"),
        ("{{ starts_at }} {{ token }}", "{{ public_url }} has to stand"),
        ("{{ starts_at }} {{ public_url }}/d/{{ token }}/", f"{LINK} has to stand"),
        ("{{ starts_at }} {% if location %}" + LINK + "{% endif %}", "{{ token }} has to stand"),
        ("{{ starts_at }} {{ token }} {{ public_url }}", f"{LINK} has to stand"),
    ],
)
def test_a_reminder_always_leads_to_confirming_moving_and_cancelling(body, said):
    assert said in wrong(body, event="interview_reminder")


def test_a_list_has_to_name_what_is_in_it():
    body = "{% for each in documents %}{% endfor %}"
    assert "{{ documents }} has to stand" in wrong(body, event="documents_missing")
    body = "{% for each in documents %}{{ each.name }}{% endfor %}"
    wording.check("documents_missing", "sms", Source("", body), "en")


def test_a_mail_needs_a_title_whatever_is_known():
    assert "Write a title" in wrong(GOOD, channel="email")
    assert "would be empty" in wrong(GOOD, title="{% if starts_at %}x{% endif %}", channel="email")


def test_a_list_is_named_by_its_rows():
    body = "{{ count }} {% for each in interviews %}{{ each.candidate }}{% endfor %}"
    wording.check("company_cancelled_many", "desk", Source("x", body), "en")
    between = body.replace("{% endfor", "{% if not forloop.last %}, {% endif %}{% endfor")
    wording.check("company_cancelled_many", "desk", Source("x", between), "en")
    assert "each.receipt is not known" in wrong(
        body.replace("each.candidate", "each.receipt"),
        title="x",
        event="company_cancelled_many",
        channel="desk",
    )


@pytest.mark.django_db
def test_own_words_are_sent_until_they_are_set_back(django_capture_on_commit_callbacks):
    params = {"position": "Fitter", "receipt": "7K2M9QX4TB", "kind": "ai"}
    message = told(event=EVENT, params=params)
    before = rendering.render(message).body
    with django_capture_on_commit_callbacks(execute=True):
        wording.write(EVENT, "sms", "en", Source("", "Gone: {{ position }}, {{ receipt }}"))

    rendered = rendering.render(message)
    assert rendered.body == "Gone: Fitter, 7K2M9QX4TB"
    assert rendered.template == "cancellation_done/sms.en"
    message.language = "zh-hans"
    assert "Gone" not in rendering.render(message).body

    message.language = "en"
    with django_capture_on_commit_callbacks(execute=True):
        wording.restore(EVENT, "sms", "en")
    assert rendering.render(message).body == before
    changes = ConfigurationChange.objects.filter(kind="notifications.messagetemplate")
    assert list(changes.order_by("pk").values_list("action", flat=True)) == ["added", "removed"]


@pytest.mark.django_db
def test_words_that_are_wrong_are_not_kept():
    with pytest.raises(ValidationError):
        wording.write(EVENT, "sms", "en", Source("", "{{ position }}"))

    assert not MessageTemplate.objects.exists()


@pytest.mark.django_db
def test_own_words_of_an_older_version_keep_no_message_back():
    """What they name is gone since."""
    body = '{{ position }} {% include "notifications/gone.en.txt" %}'
    MessageTemplate.objects.create(event=EVENT, channel="sms", language="en", body=body)
    params = {"position": "Fitter", "receipt": "7K2M9QX4TB", "kind": "ai"}

    assert "has been cancelled" in rendering.render(told(event=EVENT, params=params)).body


@pytest.mark.django_db
def test_own_words_cost_no_query_a_message(django_assert_num_queries):
    message = told(event=EVENT, params={"position": "Fitter", "receipt": "x", "kind": "ai"})
    rendering.render(message)

    with django_assert_num_queries(0):
        rendering.render(message)


def test_a_preview_shows_much_and_little_and_what_it_costs():
    source = Source("", GOOD + "{% if note %} {{ note }}{% endif %}")

    full, bare = wording.preview(EVENT, "sms", source, "zh-hans")

    assert "产线急需" in full.body
    assert "产线急需" not in bare.body
    assert (full.length.encoding, full.length.segments) == ("UCS-2", 1)


@pytest.mark.django_db
def test_every_message_there_are_words_for_can_be_worded():
    places = {(each.event, each.channel, each.language) for each in wording.places()}

    assert ("cancellation_done", "sms", "zh-hans") in places
    assert ("access_changed", "email", "en") not in places
    assert all(wording.current(*place) for place in places)
    assert wording.current("cancellation_done", "desk", "en") is None
    assert wording.current("cancellation_done", "sms", "fr") is None
    assert wording.current("..", "sms", "en") is None
