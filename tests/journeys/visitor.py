"""Somebody using the product in a browser, in words."""

from collections.abc import Iterable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

# What depends on the language and what depends on the size are met once each, not in all pairs.
either_language = pytest.mark.parametrize(
    ("language", "width"), [("zh-hans", 390), ("en", 1280)], ids=["zh-hans", "en"]
)
WIDTHS = (390, 768, 1280)
HEIGHT = 844
COLOURS = ["color-contrast", "link-in-text-block"]
AXE = """(options) => axe.run(document, {resultTypes: ["violations"], ...options}).then((found) =>
    found.violations.map((each) => `${each.id}: ${each.nodes[0].html}`))"""
OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"


class Visitor:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message) -> None:
        if message.type == "error" and "the server responded with a status" not in message.text:
            self.complaints.append(message.text)

    def opens(self, path: str) -> None:
        self.page.goto(path)

    def follows(self, name: str) -> None:
        self.page.get_by_role("link", name=name).first.click()

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def chooses(self, name: str) -> None:
        self.page.get_by_label(name, exact=True).check()

    def writes(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def opens_folds(self, selector: str) -> None:
        self.page.locator(selector).evaluate_all(
            "(each) => each.forEach((one) => (one.open = true))"
        )

    def goes_back(self) -> None:
        self.page.go_back()

    def sees(self, text: str) -> None:
        expect(self.page.locator("body")).to_contain_text(text)

    def does_not_see(self, text: str) -> None:
        expect(self.page.locator("body")).not_to_contain_text(text)

    def is_at(self, path: str) -> None:
        expect(self.page).to_have_url(path)

    def opens_another_tab(self) -> "Visitor":
        return Visitor(self.page.context.new_page())

    def faults(self) -> list[str]:
        """What axe finds in the light and, as far as colours go, in the dark; what is wider than
        one of the screens; what the console has complained of since it was last asked."""
        self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate(AXE, {})
        self.page.emulate_media(color_scheme="dark")
        dark = self.page.evaluate(AXE, {"runOnly": COLOURS})
        self.page.emulate_media(color_scheme="light")
        found += [f"in the dark: {each}" for each in dark]
        found += [f"wider than {width} pixels" for width in self.widths_overflown()]
        found += self.complaints
        self.complaints.clear()
        return found

    def widths_overflown(self) -> list[int]:
        """The screens that the page is too wide for."""
        size = self.page.viewport_size
        overflown = []
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            if self.page.evaluate(OVERFLOWS):
                overflown.append(width)
        self.page.set_viewport_size(size)
        return overflown

    def faults_of(self, paths: Iterable[str]) -> dict[str, list[str]]:
        """What is wrong with each page, by its address; pages without a fault are left out."""
        found = {}
        for path in paths:
            self.opens(path)
            if faults := self.faults():
                found[path] = faults
        return found
