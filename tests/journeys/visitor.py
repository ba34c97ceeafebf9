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
# Once all of the page has its colours.
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
COLOURS = ["color-contrast", "link-in-text-block"]
AXE = """(options) => axe.run(document, {resultTypes: ["violations"], ...options}).then((found) =>
    found.violations.map(({ id, nodes: [{ html, any }] }) =>
        `${id}: ${html} (${any.map((each) => each.message)})`))"""
OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"
FOCUSED = """(name) => document.activeElement.matches("a, button, summary")
    && [document.activeElement.ariaLabel, document.activeElement.innerText.trim()].includes(name)"""
FOCUSED_FIELD = "(selector) => document.activeElement.matches(selector)"
LABEL_FOCUSED = "() => document.activeElement.labels?.[0]?.innerText.trim()"
# What has the focus, if something else lies over all of it, given a few frames to be drawn.
COVERED = """async () => {
  const it = document.activeElement;
  const shows = (each) => each && (it.contains(each) || each.contains(it));
  const isSeen = () => {
    const { left, top, width, height } = it.getBoundingClientRect();
    return [[.5, .5], [.1, .1], [.9, .1], [.1, .9], [.9, .9]].some(([x, y]) =>
      shows(document.elementFromPoint(left + x * width, top + y * height)));
  };
  for (let frames = 0; frames < 30 && it !== document.body; frames += 1) {
    if (isSeen()) return "";
    await new Promise(requestAnimationFrame);
  }
  return it === document.body ? "" : it.outerHTML;
}"""
LARGE = "document.documentElement.style.fontSize = '%s'"
# What letters twice as large spoil: text that is cut off, lies over other text, or has to be
# scrolled to sideways. What sticks to an edge may lie over what is scrolled under it.
CRAMPED = """() => {
  const dialog = document.querySelector("dialog[open]");
  const sticks = (it) => it && (["sticky", "fixed"].includes(getComputedStyle(it).position)
    ? it : sticks(it.parentElement));
  const found = new Set();
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((each) =>
      each.getBoundingClientRect().right > innerWidth + 1);
    const names = wide.map((each) => each.outerHTML.slice(0, 80)).join(" | ");
    found.add(`${scrollWidth} pixels wide instead of ${innerWidth}: ${names}`);
  }
  const texts = [];
  const walker = document.createTreeWalker(dialog ?? document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { currentNode: node, currentNode: { parentElement: parent } } = walker;
    const words = node.textContent.trim();
    if (!words || parent.closest("script, style, noscript, .visually-hidden, svg")) continue;
    if (!parent.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 1 && box.height > 1);
    for (let around = parent; around; around = around.parentElement) {
      const { overflowX, overflowY } = getComputedStyle(around);
      const edge = around.getBoundingClientRect();
      for (const { left, right, top, bottom } of boxes) {
        const beyond = left < edge.left - 2 || right > edge.right + 2;
        const hidden = top < edge.top - 2 || bottom > edge.bottom + 2;
        if (overflowX !== "visible" && beyond) found.add(`cut off or scrolled sideways: ${words}`);
        if (["hidden", "clip"].includes(overflowY) && hidden) found.add(`cut off: ${words}`);
      }
    }
    texts.push({ words, boxes, sticks: sticks(parent) });
  }
  texts.forEach((one, index) => texts.slice(index + 1).forEach((other) => {
    if (one.sticks !== other.sticks) return;
    const overlap = one.boxes.some((a) => other.boxes.some((b) =>
      Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > Math.min(a.height, b.height) / 3));
    if (overlap) found.add(`over each other: ${one.words} / ${other.words}`);
  }));
  return [...found];
}"""


class Visitor:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.entered: list[str] = []  # what was pressed by keyboard, in order
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

    def tabs_to(self, name: str) -> None:
        """Presses Tab until the link or button of this name has the focus."""
        self._tabs_until(FOCUSED, name)

    def tabs_to_field(self, selector: str) -> None:
        self._tabs_until(FOCUSED_FIELD, selector)
        expect(self.page.locator(":focus")).to_be_editable()  # the room's takes a moment

    def _tabs_until(self, condition: str, what: str) -> None:
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if covered := self.page.evaluate(COVERED):
                raise AssertionError(f"something lies over what has the focus: {covered}")
            if self.page.evaluate(condition, what):
                return
        raise AssertionError(f"Tab never reaches {what!r}")

    def enters(self, name: str) -> None:
        """Presses the link or button of this name by keyboard alone."""
        self.tabs_to(name)
        self.entered.append(name)
        self.page.keyboard.press("Enter")

    def chooses_with_arrows(self, name: str) -> None:
        self.tabs_to_field("input[type=radio]")
        self.page.keyboard.press("Space")
        for _ in range(20):
            if self.page.evaluate(LABEL_FOCUSED) == name:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"the arrows never reach {name!r}")

    def types(self, text: str) -> None:
        self.page.keyboard.type(text)

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
        self.page.evaluate(DRAWN)
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

    def cramped(self) -> list[str]:
        """What is cut off, lies over something else or is wider than the page with letters twice as
        large."""
        self.page.evaluate(LARGE % "200%")
        found = self.page.evaluate(CRAMPED)
        self.page.evaluate(LARGE % "")
        return found

    def faults_of(self, paths: Iterable[str]) -> dict[str, list[str]]:
        """What is wrong with each page, by its address; pages without a fault are left out."""
        found = {}
        for path in paths:
            self.opens(path)
            if faults := self.faults():
                found[path] = faults
        return found
