"""An administrator looks at a wide file before importing it."""

import pytest
from django.urls import reverse

from interviews.imports import template
from tests.factories import UserFactory


@pytest.mark.django_db(transaction=True)
def test_wide_preview_scrolls_in_its_own_box(visit):
    # given a file with every column of the template, and long words in it
    titles = template.titles()
    known = {"面试编号 Interview number": "A-1", "姓名 Name": "张三", "部门 Department": "制造部"}
    known |= {"岗位 Position": "装配技术员", "状态 Status": "待预约"}
    row = [known.get(title, "") for title in titles]
    row[titles.index("地点 Place")] = "苏州工业园区" * 12
    content = "\n".join([",".join(titles), ",".join(row)]).encode()
    visitor = visit(UserFactory(administrator=True), width=1280, height=800)
    page = visitor.page

    # when it is uploaded
    page.goto(reverse("admin:interviews_interview_import"))
    page.set_input_files(
        "input[type=file]", {"name": "wide.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.click("input[type=submit]")
    table = page.locator(".wide-table").first
    table.wait_for()

    # then the table is wider than its box, and the page no wider than the window
    assert table.evaluate("box => box.scrollWidth > box.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
