"""Staff sign in with a passkey, kept by the browser's own stand-in for a device, and by way of the
company's provider; administrators look after who may."""

import pytest
from playwright.sync_api import expect

from accounts import two_step
from accounts.models import AccessChange, User
from tests.contracts.test_identity import company, provider  # noqa: F401 - fixtures
from tests.factories import PASSWORD, DepartmentFactory, UserFactory
from tests.journeys.visitor import either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lead():
    return UserFactory(lead=True)


def given_a_device(visitor, *, knows_its_owner=True):
    """A finger that is always there, or never the right one."""
    devtools = visitor.page.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": knows_its_owner,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools


def when_signing_in_by_password(visitor, user):
    visitor.opens("/desk/sign-in/")
    visitor.writes("Email address", user.email)
    visitor.writes("Password", PASSWORD)
    visitor.presses("Sign in")


def when_adding_a_passkey(visitor, name):
    visitor.page.wait_for_load_state()
    visitor.opens("/me/two-step/")
    visitor.follows("Add a passkey")
    visitor.writes("Name", name)
    visitor.presses("Add it")


def when_signing_out(visitor):
    visitor.page.get_by_label("Menu").click()
    visitor.presses("Sign out")
    visitor.is_at("/desk/sign-in/")


def is_shown(visitor, text):
    """What went wrong is on every page, and shown once it has."""
    expect(visitor.page.locator("[data-passkey-trouble]:visible")).to_contain_text(text)


def test_passkey_is_the_second_step_and_both_steps(visit, lead):
    visitor = visit(width=1280, height=800)
    given_a_device(visitor)
    when_signing_in_by_password(visitor, lead)
    visitor.is_at("/desk/")

    when_adding_a_passkey(visitor, "office laptop")
    visitor.sees("The passkey “office laptop” is added.")
    visitor.is_at("/me/recovery-codes/")
    visitor.presses("Make recovery codes")
    visitor.sees("This is the only time they are shown.")
    with visitor.page.expect_download() as saved:
        visitor.follows("Save as a file")
    assert len(saved.value.path().read_text().splitlines()) == 10
    visitor.follows("I have kept them")
    visitor.sees("10 of 10 are left.")

    when_signing_out(visitor)
    when_signing_in_by_password(visitor, lead)
    visitor.is_at("/sign-in/second-step/")
    visitor.presses("Sign in with a passkey")
    visitor.is_at("/desk/")

    when_signing_out(visitor)
    visitor.presses("Sign in with a passkey")
    visitor.is_at("/desk/")
    assert not visitor.complaints


def test_several_passkeys_are_told_apart_and_taken_off(visit, lead):
    visitor = visit(width=1280, height=800)
    device = given_a_device(visitor)
    when_signing_in_by_password(visitor, lead)
    visitor.is_at("/desk/")
    when_adding_a_passkey(visitor, "laptop")
    visitor.is_at("/me/recovery-codes/")

    when_adding_a_passkey(visitor, "laptop once more")
    is_shown(visitor, "This device holds a passkey for you already.")
    device.send("WebAuthn.disable")
    given_a_device(visitor)
    when_adding_a_passkey(visitor, "key ring")
    visitor.sees("The passkey “key ring” is added.")
    visitor.opens("/me/two-step/")
    visitor.presses("Take off laptop")
    visitor.sees("The passkey is taken off.")

    (left,) = two_step.passkeys(lead)
    assert str(left) == "key ring"
    kinds = [change.kind for change in AccessChange.objects.order_by("pk")]
    assert kinds == ["passkey_added", "passkey_added", "passkey_dropped"]


def test_device_that_does_not_know_its_owner_opens_nothing(visit, lead):
    visitor = visit(width=1280, height=800)
    device = given_a_device(visitor)
    when_signing_in_by_password(visitor, lead)
    visitor.is_at("/desk/")
    when_adding_a_passkey(visitor, "laptop")
    visitor.is_at("/me/recovery-codes/")
    when_signing_out(visitor)
    device.send("WebAuthn.disable")
    given_a_device(visitor, knows_its_owner=False)

    visitor.presses("Sign in with a passkey")

    is_shown(visitor, "Nothing was done")
    visitor.is_at("/desk/sign-in/")


def test_passkey_of_somebody_switched_off_opens_nothing(visit, lead):
    visitor = visit(width=1280, height=800)
    given_a_device(visitor)
    when_signing_in_by_password(visitor, lead)
    visitor.is_at("/desk/")
    when_adding_a_passkey(visitor, "laptop")
    visitor.is_at("/me/recovery-codes/")
    when_signing_out(visitor)
    User.objects.filter(pk=lead.pk).update(is_active=False)

    visitor.presses("Sign in with a passkey")

    visitor.sees("That passkey does not open this account.")
    visitor.is_at("/desk/sign-in/")


def test_company_s_provider_leads_there_and_back(visit, lead, company):  # noqa: F811
    company.person["email"] = lead.email
    visitor = visit(width=1280, height=800)
    visitor.opens("/desk/sign-in/")

    visitor.presses("Sign in with Acme")

    visitor.is_at("/desk/")
    assert not visitor.complaints


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])
def test_administrator_invites_and_changes_somebody(visit, javascript):
    DepartmentFactory(name="总装部")
    visitor = visit(UserFactory(administrator=True), javascript=javascript, width=1280, height=800)
    visitor.opens("/desk/settings/")
    visitor.follows("Staff")
    visitor.follows("Invite somebody")
    visitor.writes("Name", "王芳")
    visitor.writes("Email address", "wang.fang@company.example")
    visitor.chooses("Recruiter")
    visitor.chooses("总装部")
    visitor.presses("Send the invitation")

    visitor.sees("王芳 is invited.")
    visitor.chooses("HR lead")
    visitor.presses("Save")
    visitor.sees("Recruiter → HR lead")
    visitor.follows("Switch off")
    visitor.sees("cannot sign in until their access is switched on again")
    visitor.presses("Switch off")
    visitor.sees("王芳 cannot sign in any more.")
    visitor.follows("Staff")
    visitor.writes("Name or email address", "王")
    visitor.presses("Search")
    visitor.sees("王芳")
    assert "王" not in visitor.page.url
    assert not visitor.complaints


@either_language
def test_pages_have_no_barriers(visit, lead, language, width):
    lead.language = language
    lead.save()
    two_step.switch_on(lead, "JBSWY3DPEHPK3PXP")
    UserFactory(recruiter=True, is_active=False, departments=[DepartmentFactory()])
    administrator = UserFactory(administrator=True, language=language)
    visitor = visit(administrator, width=width)
    found = visitor.faults_of(
        [
            "/desk/settings/people/",
            "/desk/settings/people/?role=recruiter&state=active",
            f"/desk/settings/people/{lead.pk}/",
            f"/desk/settings/people/{lead.pk}/deactivate/",
            f"/desk/settings/people/{lead.pk}/remove-second-step/",
            f"/desk/settings/people/{administrator.pk}/",
            "/desk/settings/people/invite/",
            "/desk/settings/roles/",
            "/me/",
            "/me/two-step/",
            "/me/two-step/on/",
            "/me/confirm/",
        ]
    )
    visitor.opens("/me/confirm/?next=/me/passkeys/add/")
    visitor.page.locator("main input[type=password]").fill(PASSWORD)
    visitor.page.locator("main button.button-primary").click()
    visitor.is_at("/me/passkeys/add/")
    found["add"] = visitor.faults()
    stranger = visit(width=width, locale=language)
    found |= stranger.faults_of(
        ["/sign-in/", "/sign-in/code/", "/password/forgotten/", "/desk/sign-in/"]
    )
    stranger.page.locator("input[type=email]").fill(lead.email)
    stranger.page.locator("input[type=password]").fill(PASSWORD)
    stranger.page.locator("main button.button-primary").click()
    stranger.is_at("/sign-in/second-step/")
    found["second step"] = stranger.faults()

    assert {name: faults for name, faults in found.items() if faults} == {}
