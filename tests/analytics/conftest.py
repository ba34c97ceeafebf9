"""Who looks at figures, and of what."""

import pytest

from tests.factories import DepartmentFactory, PositionFactory, UserFactory


@pytest.fixture
def department():
    return DepartmentFactory(name="制造一部")


@pytest.fixture
def position(department):
    return PositionFactory(department=department, title="装配技术员")


@pytest.fixture
def lead(department, settings):
    settings.LANGUAGE_CODE = "en"
    return UserFactory(lead=True, departments=[department])


@pytest.fixture
def desk(client, lead):
    client.force_login(lead)
    return client
