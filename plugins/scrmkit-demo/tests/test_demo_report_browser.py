"""A real browser opens the report: everything draws, nothing fails, nothing is asked for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from scrmkit_demo.report import ReportData, render

REQUIRED = "SCRMKIT_REQUIRE_BROWSER"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--window-size=1280,900",
)
CHARTS = 7
PHONE_WIDTH = 360


class Browser:
    """Chromium, and what it complained about and asked for since the last look."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver = driver
        self.folder = folder

    def open(self, html: str) -> Path:
        page = self.folder / "report.html"
        page.write_text(html, "utf-8")
        self.complaints()
        self.driver.get(page.as_uri())
        return page

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """What this test's page asked for; the browser's own start page asks for much."""
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
            and event["params"]["documentURL"].startswith(self.folder.as_uri())
        ]
        return [url for url in urls if not url.startswith("data:")]

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def tell(self, command: str, **settings: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, settings)

    def shapes(self) -> dict[str, int]:
        """Per chart how many shapes its drawing holds."""
        return dict(
            self.run(
                "return [...document.querySelectorAll('[data-chart]')].map(box => "
                "[box.dataset.chart, box.querySelectorAll('svg path, svg rect, svg text').length])"
            )
        )


def refuse_or_skip(reason: str) -> None:
    if os.environ.get(REQUIRED):
        pytest.fail(f"{reason} ({REQUIRED} is set)")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    chromedriver = shutil.which("chromedriver")
    if browser is None or chromedriver is None:
        refuse_or_skip("no browser: needs chromium and chromedriver on the path")
    try:
        from selenium import webdriver
    except ImportError:
        refuse_or_skip("no selenium: pip install selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=chromedriver)
    started = webdriver.Chrome(options=options, service=service)
    yield started
    started.quit()


@pytest.fixture
def browser(driver: Any, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(driver, tmp_path)
    yield browser
    browser.tell("Emulation.clearDeviceMetricsOverride")
    browser.tell("Emulation.setScriptExecutionDisabled", value=False)
    browser.tell("Emulation.setEmulatedMedia", media="", features=[])


def test_every_chart_draws_and_nothing_is_asked_for(browser: Browser, report: ReportData):
    page = browser.open(render(report))

    assert len(browser.shapes()) == CHARTS
    assert all(count >= 8 for count in browser.shapes().values()), browser.shapes()
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]


def test_hostile_texts_run_nowhere_not_even_in_a_tooltip(browser: Browser, hostile_report: ReportData):
    page = browser.open(render(hostile_report))
    browser.run(
        "for (const box of document.querySelectorAll('[data-chart]'))"
        " echarts.getInstanceByDom(box).dispatchAction("
        "{type: 'showTip', seriesIndex: 0, dataIndex: 0})"
    )

    tips = browser.run("return [...document.querySelectorAll('[data-chart] > div')].map(it => it.textContent)")
    assert any("onerror" in tip for tip in tips)
    assert browser.run("return [window.broken ?? null, document.images.length]") == [None, 0]
    assert len(browser.shapes()) == CHARTS
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_colours_of_the_system(browser: Browser, report: ReportData, scheme: str):
    from scrmkit_demo.report import palette

    browser.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open(render(report))

    colours = {"light": palette.LIGHT, "dark": palette.DARK}[scheme]
    drawing = browser.run("return document.querySelector('#chart-scores svg').outerHTML")
    ground = browser.run("return getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()")
    assert ground == colours["paper"]
    assert colours["soft"] in drawing


def test_the_button_turns_the_page_dark_and_light_again(browser: Browser, report: ReportData):
    browser.open(render(report))
    button = "document.getElementById('theme')"
    before = browser.shapes()

    first = browser.run(f"const was = {button}.textContent; {button}.click(); return was")
    browser.run(f"{button}.click()")

    assert browser.run(f"return {button}.textContent") == first
    assert browser.shapes() == before
    assert browser.complaints() == []


def test_the_grid_can_be_coloured_by_spending(browser: Browser, report: ReportData):
    browser.open(render(report))

    browser.run("document.querySelector('[data-switch=rfm][data-value=\"1\"]').click()")

    assert "¥250" in browser.run("return document.getElementById('chart-rfm').textContent")
    assert browser.complaints() == []


def test_a_phone_shows_the_whole_width(browser: Browser, report: ReportData):
    browser.tell("Emulation.setDeviceMetricsOverride", width=PHONE_WIDTH, height=740, deviceScaleFactor=2, mobile=True)
    browser.open(render(report))

    assert browser.run("return document.documentElement.scrollWidth") == PHONE_WIDTH
    assert all(browser.shapes().values())


def test_printing_leaves_the_screen_as_it_was(browser: Browser, report: ReportData):
    browser.open(render(report))
    before = browser.shapes()

    printed = browser.tell("Page.printToPDF")

    assert printed["data"]
    assert browser.shapes() == before
    assert browser.run("return document.documentElement.classList.contains('printing')") is False
    assert browser.complaints() == []


def test_without_scripts_the_tables_are_there(browser: Browser, report: ReportData):
    browser.tell("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(render(report))

    assert browser.run("return [...document.querySelectorAll('.chart')].every(it => it.offsetParent === null)")
    assert browser.run("return document.querySelectorAll('figure table').length") == CHARTS


def test_a_day_on_which_nothing_happened_opens_as_well(browser: Browser, empty_report: ReportData):
    browser.open(render(empty_report))

    assert browser.complaints() == []


@pytest.fixture
def visited() -> Iterator[tuple[str, list[str]]]:
    """A server's address, and the paths that were asked of it."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(404)
            self.end_headers()

        log_message: Callable[..., None] = staticmethod(lambda *_: None)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    server.server_close()


def test_these_tests_would_see_a_request_and_a_complaint(browser: Browser, visited):
    address, paths = visited

    page = browser.open(f"<script>console.error('no')</script><img src='{address}/spy.png'>")

    assert paths == ["/spy.png"]
    assert browser.requests() == [page.as_uri(), f"{address}/spy.png"]
    assert any("no" in complaint for complaint in browser.complaints())
