"""The HTML view in a real headless Chromium: first screen, filter, sort, expand, keyboard, print, dark, narrow.

Chromium, its driver and selenium are needed, and missing ones fail the tests: ./scripts/test installs all three.
"""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from syncengine.core.redaction import visible
from syncengine.reports.findings import message_words
from syncengine.reports.html import FIRST_FINDINGS, plan_html
from syncengine.reports.model import ViewOptions
from tests.attacks import carried
from tests.reports.planted import NAMES, planted, planted_summary
from tests.reports.samples import (
    BLOCKED,
    HEADER,
    HOSTILE,
    HOSTILE_PROVENANCE,
    NO_LEDGER,
    PROVENANCE,
    WARNINGS,
    hostile_operations,
    hostile_summary,
    operations,
    summary_of,
)

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not (BROWSER and DRIVER):
        pytest.fail("Chromium or its driver is not installed (packages chromium and chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for leads in (1, 500, 100_000):
        summary = summary_of(operations(leads), warnings=WARNINGS, blocked=BLOCKED)
        made[str(leads)] = folder / f"{leads}.html"
        with made[str(leads)].open("w", encoding="utf-8") as file:
            file.writelines(plan_html(HEADER, NO_LEDGER, operations(leads), summary, ViewOptions()))
    made["planted"] = folder / "planted.html"
    made["planted"].write_text(
        "".join(plan_html(HEADER, PROVENANCE, planted(), planted_summary(), ViewOptions())), encoding="utf-8"
    )
    made["hostile"] = folder / "hostile.html"
    pieces = plan_html(
        HEADER, HOSTILE_PROVENANCE, hostile_operations(), hostile_summary(), ViewOptions(show_values=True)
    )
    made["hostile"].write_text("".join(pieces), encoding="utf-8")
    for name, texts in (("printed", HOSTILE), ("ordinary", [f"ordinary {n}" for n in range(len(HOSTILE))])):
        made[name] = folder / f"{name}.html"
        made[name].write_text(carried.view(folder / name, texts, "html"), encoding="utf-8")
    return made


@pytest.fixture
def show(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    def opened(name: str, fragment: str = "") -> Any:
        # Another fragment alone would not load the page anew.
        browser.get("about:blank")
        browser.get(pages[name].as_uri() + fragment)
        return browser

    yield opened
    # Refused scripts, styles and requests all end up in the console.
    assert browser.get_log("browser") == []
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def count(page: Any) -> str:
    return str(page.find_element(By.ID, "count").text)


def wait_count(page: Any, text: str) -> None:
    WebDriverWait(page, 20).until(lambda _: count(page) == text, f"count is {count(page)!r}, not {text!r}")


def column(page: Any, name: str) -> list[str]:
    script = """return [...document.querySelectorAll(`#table .item .c-${arguments[0]}`)]
      .map((cell) => [...cell.querySelectorAll(".line")].map((line) => line.textContent).join(" | "))"""
    return list(page.execute_script(script, name))


@pytest.mark.parametrize("leads", ["1", "500", "100000"])
def test_the_table_counts_what_the_plan_counts_and_draws_only_what_is_seen(show: Any, leads: str) -> None:
    page = show(leads)
    wait_count(page, f"{int(leads):,} operation{'s' * (leads != '1')}")
    assert len(page.find_elements(By.CSS_SELECTOR, "#table .item")) <= 60
    table = page.find_element(By.ID, "table")
    assert table.get_attribute("aria-rowcount") == str(int(leads) + 1)


@pytest.mark.parametrize("leads", ["500", "100000"])
def test_filters_narrow_and_clear(show: Any, leads: str) -> None:
    page, total = show(leads), int(leads)
    Select(page.find_element(By.ID, "kind")).select_by_value("irreversible")
    wait_count(page, f"Showing {total * 14 // 100:,} of {total:,} operations")
    assert set(column(page, "kind")) <= {"‼ trigger", "‼ reprocess"}
    Select(page.find_element(By.ID, "state")).select_by_visible_text("in doubt")
    wait_count(page, f"Showing {total // 50:,} of {total:,} operations")
    page.find_element(By.ID, "reset").click()
    wait_count(page, f"{total:,} operations")
    page.find_element(By.ID, "q").send_keys("2932690 1054")
    wait_count(page, f"Showing 1 of {total:,} operations")
    assert column(page, "lead") == ["2932690"]
    page.find_element(By.ID, "q").send_keys(" nowhere")
    wait_count(page, f"Showing 0 of {total:,} operations")
    assert "No operation matches" in page.find_element(By.ID, "nothing").text


def test_the_filter_by_change_follows_the_link_in_the_list_of_changes(show: Any) -> None:
    page = show("500")
    link = page.find_element(By.CSS_SELECTOR, '[data-change="switched"]')
    page.execute_script("arguments[0].click()", link)
    wait_count(page, "Showing 50 of 500 operations")
    assert {place.split(" | ")[1] for place in column(page, "source")} == {"call-centre-uplift · switched"}


def test_sorting_goes_up_down_and_back_and_says_so(show: Any) -> None:
    page = show("500")
    header = page.find_element(By.CSS_SELECTOR, "th.c-lead")
    before = column(page, "lead")
    states = []
    orders = []
    for _ in range(3):
        page.execute_script("arguments[0].click()", header.find_element(By.TAG_NAME, "button"))
        states.append(header.get_attribute("aria-sort"))
        orders.append(column(page, "lead"))
    assert states == ["ascending", "descending", "none"]
    assert orders[0] == sorted(orders[0], key=int)
    assert orders[0][0] == "2932682"
    assert orders[1] == sorted(orders[1], key=int, reverse=True)
    assert orders[1][0] == "2933181"
    assert orders[2] == before


def test_a_row_expands_and_collapses_by_mouse_and_keyboard(show: Any) -> None:
    page = show("500")
    # Enter filters at once; typing does so a moment later, and would replace the rows that are looked at here.
    page.find_element(By.ID, "q").send_keys("update repair.yaml:12", Keys.ENTER)
    wait_count(page, "Showing 233 of 500 operations")
    toggle = page.find_element(By.CSS_SELECTOR, '[data-position="0"]')
    toggle.send_keys(Keys.ENTER)
    assert toggle.get_attribute("aria-expanded") == "true"
    detail = page.find_element(By.CSS_SELECTOR, ".detail").text
    for part in ("postcode", "X••••• → S•••••AA", "ledger: import-2026-10", "specs/repair.yaml:12 row 2"):
        assert part in detail
    second = page.find_element(By.CSS_SELECTOR, '[data-position="1"]')
    opened = page.find_element(By.CSS_SELECTOR, ".detail").rect
    assert second.rect["y"] >= opened["y"] + opened["height"] - 1
    toggle.send_keys(Keys.ARROW_DOWN)
    assert page.switch_to.active_element.get_attribute("data-position") == "1"
    page.switch_to.active_element.send_keys(Keys.END)
    assert page.switch_to.active_element.get_attribute("data-position") == "232"
    page.switch_to.active_element.send_keys(Keys.HOME)
    back = page.switch_to.active_element
    assert back.get_attribute("data-position") == "0"
    assert back.get_attribute("aria-expanded") == "true"
    back.click()
    assert back.get_attribute("aria-expanded") == "false"
    assert page.find_elements(By.CSS_SELECTOR, ".detail") == []


def test_scrolling_reaches_the_last_of_a_hundred_thousand_rows(show: Any) -> None:
    page = show("100000")
    page.execute_script("const s = document.getElementById('scroller'); s.scrollTop = s.scrollHeight")
    last = (By.CSS_SELECTOR, '#table [aria-rowindex="100001"]')
    WebDriverWait(page, 20).until(lambda _: page.find_elements(*last))
    assert len(page.find_elements(By.CSS_SELECTOR, "#table .item")) <= 60


def test_every_control_is_reached_by_keyboard_and_has_a_name(show: Any) -> None:
    page = show("500")
    nameless = page.execute_script(
        "return [...document.querySelectorAll('button:not([hidden]), input, select, summary, [role=group]')]"
        ".filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels && e.labels.length)))"
        ".map((e) => e.outerHTML)"
    )
    assert nameless == []
    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("class") == "skip"
    page.find_element(By.ID, "q").send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("id") == "kind"
    style = "return getComputedStyle(document.activeElement).outlineStyle"
    assert page.execute_script(style) == "solid"


def luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(show: Any, scheme: str) -> None:
    page = show("500")
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    colours = "return ['color', 'backgroundColor'].map((key) => getComputedStyle(arguments[0])[key])"
    ink, paper = page.execute_script(colours, page.find_element(By.TAG_NAME, "body"))
    assert (luminance(paper) > 0.5) == (scheme == "light")
    for selector in ("body", ".facts", ".verdict h1", ".severity", "#count", ".panel.strikes h2"):
        ink, _ = page.execute_script(colours, page.find_element(By.CSS_SELECTOR, selector))
        light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, selector
    page.find_element(By.ID, "theme").click()
    _, switched = page.execute_script(colours, page.find_element(By.TAG_NAME, "body"))
    assert (luminance(switched) > 0.5) == (scheme == "dark")


@pytest.mark.parametrize("name", ["500", "hostile"])
def test_a_narrow_screen_needs_no_sideways_scrolling(show: Any, name: str) -> None:
    page = show(name)
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    # The page redraws its rows once it has heard of the new size, so each look at a row is one script.
    height = "return document.querySelector('#table .item')?.getBoundingClientRect().height ?? 0"
    WebDriverWait(page, 20).until(lambda _: page.execute_script(height) >= 80)
    wide = "return [document.documentElement.scrollWidth, document.getElementById('scroller').scrollWidth]"
    document, table = page.execute_script(wide)
    assert document <= 360
    assert table <= 360


def test_the_source_of_an_operation_shows_its_row(show: Any) -> None:
    page = show("500")
    cut = """return [...document.querySelectorAll("#table .item .c-source .line")]
      .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)"""
    assert page.execute_script(cut) == []


def test_only_the_summary_is_printed(show: Any) -> None:
    page = show("planted")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    seen = "return [...document.querySelectorAll(arguments[0])].map((e) => e.getClientRects().length > 0)"
    assert page.execute_script(seen, "#operations, #table, .link") == [False] * len(
        page.find_elements(By.CSS_SELECTOR, "#operations, #table, .link")
    )
    assert (
        page.execute_script(seen, "h1, #findings, .panel.strikes, .panel .money, .changeset, .printed").count(False)
        == 0
    )
    pdf = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 3


def test_the_first_screen_holds_verdict_findings_irreversible_and_money(show: Any) -> None:
    page = show("planted")
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    )
    bottom = (
        "return Math.max(...[...document.querySelectorAll(arguments[0])].map((e) => e.getBoundingClientRect().bottom))"
    )
    assert len(page.find_elements(By.CSS_SELECTOR, "#findings > .findings > .finding")) == FIRST_FINDINGS
    for selector in ("h1", "#findings", ".panel.strikes", ".pair:not(.charts) .money"):
        assert 0 < page.execute_script(bottom, selector) <= 800, selector


def test_each_finding_shows_its_operations_and_the_address_remembers_it(show: Any, pages: dict[str, Path]) -> None:
    page = show("planted")
    findings = planted_summary().findings
    for number, finding in enumerate(findings):
        page.execute_script("document.querySelector(`[data-finding='${arguments[0]}']`).click()", number)
        counted = re.fullmatch(r"Showing ([0-9,]+) of 500 operations", count(page))
        assert counted is not None
        assert int(counted[1].replace(",", "")) == finding.count
        assert message_words(finding, NAMES) in page.find_element(By.ID, "of-finding").text
    fragment = page.execute_script("return location.hash")
    said = count(page)
    assert count(show("planted", fragment)) == said
    page.find_element(By.CSS_SELECTOR, "#of-finding button").click()
    wait_count(page, "500 operations")
    assert page.execute_script("return location.hash") == ""


def test_the_filters_are_in_the_address_and_come_back_from_it(show: Any) -> None:
    page = show("planted")
    for control, value in (
        ("kind", "financials"), ("buyer", "33 fabrikam"), ("field", "payout"), ("state", "to_send"),
        ("change", '["uplift-2026-11","switched"]'),
    ):  # fmt: skip
        Select(page.find_element(By.ID, control)).select_by_value(value)
    page.find_element(By.ID, "flagged").click()
    page.find_element(By.ID, "q").send_keys("2932")
    page.execute_script("document.querySelector('[data-sort=difference]').click()")
    said, rows = count(page), column(page, "lead")
    assert said != "500 operations"
    again = show("planted", page.execute_script("return location.hash"))
    assert count(again) == said
    assert column(again, "lead") == rows
    assert again.find_element(By.CSS_SELECTOR, "th.c-difference").get_attribute("aria-sort") == "ascending"
    again.execute_script("location.hash = 'delivery=1503+contoso'")
    wait_count(again, "Showing 1 of 500 operations")
    assert Select(again.find_element(By.ID, "delivery")).first_selected_option.text == "1503 contoso"


@pytest.mark.parametrize(("key", "values"), [("difference", -4), ("margin", -4960)])
def test_numbers_are_sorted_as_numbers_and_negative_ones_are_marked(show: Any, key: str, values: int) -> None:
    page = show("planted", f"#kind=financials&field={'revenue' if key == 'difference' else 'payout'}&sort={key}")
    numbers = [float(text.replace(",", "")) for text in column(page, key) if text]
    assert numbers == sorted(numbers)
    assert numbers[0] <= values
    marked = page.execute_script(
        "return [...document.querySelectorAll(`.item .c-${arguments[0]} .line`)].filter((e) => e.textContent)"
        ".map((e) => [e.textContent.startsWith('-'), e.classList.contains('negative')])",
        key,
    )
    assert marked
    assert all(negative == shown for negative, shown in marked)
    align = "return getComputedStyle(document.querySelector(`.item .c-${arguments[0]}`)).textAlign"
    assert page.execute_script(align, key) == "right"


def test_what_has_findings_comes_first_and_what_is_not_sent_last(show: Any) -> None:
    page = show("planted")
    assert all("finding" in kind for kind in column(page, "kind"))
    page = show("500")
    page.execute_script("const s = document.getElementById('scroller'); s.scrollTop = s.scrollHeight")
    last = (By.CSS_SELECTOR, '#table [aria-rowindex="501"]')
    WebDriverWait(page, 20).until(lambda _: page.find_elements(*last))
    assert page.find_element(*last).find_element(By.CSS_SELECTOR, ".pill").text not in ("to send", "held")


def test_slash_searches_and_j_and_k_walk_the_rows(show: Any) -> None:
    page = show("planted")
    whole = page.find_element(By.TAG_NAME, "body")
    whole.send_keys("/")
    assert page.switch_to.active_element.get_attribute("id") == "q"
    page.switch_to.active_element.send_keys("contacts", Keys.ENTER)
    wait_count(page, "Showing 200 of 500 operations")
    for keys, position in (("j", "1"), ("jj", "3"), ("k", "2")):
        page.switch_to.active_element.send_keys(keys)
        assert page.switch_to.active_element.get_attribute("data-position") == position
    page.switch_to.active_element.send_keys(Keys.ENTER)
    detail = page.find_element(By.CSS_SELECTOR, ".detail").text
    for part in ("finding", "firstname", "→", "data/contacts.csv:", "specs/repair-2026-11.yaml:9 row "):
        assert part in detail


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["planted", "500"])
def test_axe_finds_nothing_with_rows_and_evidence_expanded(show: Any, name: str, width: int, scheme: str) -> None:
    page = show(name)
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    page.execute_script("document.querySelectorAll('details').forEach((details) => { details.open = true })")
    page.execute_script("document.querySelector('[data-finding]')?.click(); document.getElementById('q').focus()")
    for position in range(4):
        page.execute_script("document.querySelector(`[data-position='${arguments[0]}']`)?.click()", position)
    page.execute_script(AXE)
    found = page.execute_async_script(
        "axe.run().then(arguments[0], (error) => arguments[0]({ violations: [String(error)] }))"
    )
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found["violations"]] == []
    assert found["passes"]


ELEMENTS = "return [...document.querySelectorAll('*')].map((e) => [e.tagName, ...e.getAttributeNames()].join(' '))"
TEXT = """
const page = document.body.cloneNode(true);
page.querySelectorAll('script, style').forEach((element) => element.remove());
return page.textContent;
"""
EXPAND = """
document.querySelectorAll("#table .item:not(.open) [data-position]").forEach((button) => button.click());
"""


def texts_with_every_row_expanded(page: Any, read: str) -> list[Any]:
    """What `read` gives, screen by screen: only rows that are seen exist as elements."""
    found = []
    for _ in range(1000):
        page.execute_script(EXPAND)
        found.append(page.execute_script(read))
        more = """
        const scroller = document.getElementById("scroller"), before = scroller.scrollTop;
        scroller.scrollTop += scroller.clientHeight;
        const drawn = new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        return drawn.then(() => scroller.scrollTop > before);
        """
        if not page.execute_script(more):
            return found
    return found


@pytest.mark.parametrize("name", ["hostile", "printed"])
def test_hostile_data_is_text_and_nothing_else(show: Any, name: str) -> None:
    page = show(name)
    said = re.sub(r"\s", "", "".join(texts_with_every_row_expanded(page, TEXT)))
    assert page.find_elements(By.CSS_SELECTOR, "img, iframe, a:not(.skip), h3, h4") == []
    texts = map(visible, HOSTILE if name == "hostile" else map(carried.sendable, HOSTILE))
    assert [text for text in texts if re.sub(r"\s", "", text)[:60] not in said] == []
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_the_page_that_is_printed_has_the_same_elements_whatever_the_data(show: Any) -> None:
    found = []
    for name in ("printed", "ordinary", "planted"):
        page = show(name)
        assert name == "planted" or int(re.sub(r"\D", "", count(page))) >= 4 * len(HOSTILE)
        found.append({each for some in texts_with_every_row_expanded(page, ELEMENTS) for each in some})
    printed, ordinary, with_findings = found
    assert printed <= ordinary | with_findings
