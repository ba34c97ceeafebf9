"""The API's reference: complete, in both languages, and true."""

import html
import json
import re

import pytest
import yaml
from django.urls import reverse

from config import reference

pytestmark = pytest.mark.django_db
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-hans"])


def shown(client, language) -> str:
    response = client.get(reverse("api:docs"), headers={"Accept-Language": language})
    assert response.status_code == 200
    return response.content.decode()


@LANGUAGES
def test_reference_shows_everything_the_document_has(client, language):
    page = shown(client, language)
    document = yaml.safe_load(client.get("/api/schema/").content)

    for path, methods in document["paths"].items():
        assert f">{path}<" in page
        for operation in methods.values():
            (section,) = re.findall(
                rf'id="{operation["operationId"]}".*?</section>', page, flags=re.DOTALL
            )
            names = [each["name"] for each in operation.get("parameters", [])]
            statuses = [status for status in operation["responses"] if status != "default"]
            assert [name for name in names if f"<code>{name}</code>" not in section] == []
            assert [status for status in statuses if f"<dt>{status}</dt>" not in section] == []


def test_reference_is_in_the_readers_language(client):
    page = shown(client, "zh-hans")

    assert [text for text in reference.texts() if html.escape(text) in page] == []
    assert "一场面试，以及按规则此刻取消或改期的结果。" in page
    english = "One interview, and what the rule says of cancelling and of moving it now."
    assert english in shown(client, "en")


@LANGUAGES
def test_links_within_the_reference_lead_somewhere(client, language):
    page = shown(client, language)

    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


@LANGUAGES
def test_examples_are_calls_one_can_make_and_their_answers(client, language):
    examples = [
        html.unescape(code)
        for code in re.findall(
            r'<pre class="ref-code"><code>(.*?)</code>', shown(client, language), re.DOTALL
        )
    ]
    calls = [each for each in examples if each.startswith("curl ")]
    answers = [json.loads(each) for each in examples if not each.startswith("curl ")]

    assert len(calls) == sum(len(methods) for methods in reference.document()["paths"].values())
    assert all("{" not in call.partition("\n")[0] for call in calls)
    for call in calls:
        for body in re.findall(r"-d '(.*)'", call):
            assert json.loads(body)
    ended = {
        each["status"]: each["interview"]["status"] for each in answers if "decided_by" in each
    }
    assert ended == {"approved": "cancelled", "declined": "booked"}


def test_reference_runs_no_script_of_its_own(client):
    page = shown(client, "en")

    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert "style=" not in page
    assert re.findall(r'(?:src|href)="https?:', page) == []


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_document_can_be_had_in_both_forms(client, format):
    link = f"{reverse('api:schema')}?format={format}"

    assert f'href="{link}"' in shown(client, "en")
    read = json.loads if format == "json" else yaml.safe_load
    assert read(client.get(link).content)["info"]["title"] == "Mianyue API"
