"""The report is one file that escapes what it shows and names nobody."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from html.parser import HTMLParser
from importlib import resources

import attrs
import pytest

from scrmkit.errors import InvalidValueError
from scrmkit_demo.report import Step, mask_phone, palette, render

ASSETS = resources.files("scrmkit_demo.report") / "assets"
CHARTS = {"funnel", "messages", "scores", "rfm", "cohorts", "bargains", "journey"}


class Page(HTMLParser):
    """What a browser would find in the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.charts: set[str] = set()
        self.handlers: list[str] = []
        self.text = ""
        self.data = ""
        self._in = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        given = dict(attributes)
        self._in = given.get("id", tag) if tag in ("script", "style") else ""
        self.links += [given[name] for name in ("src", "href", "action") if name in given]
        self.handlers += [name for name in given if name.startswith("on")]
        if "data-chart" in given:
            self.charts.add(given["data-chart"])

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._in = ""

    def handle_data(self, text):
        if self._in == "report-data":
            self.data += text
        elif not self._in:
            self.text += text


def test_every_chart_has_its_place_and_a_table_behind_it(report):
    page = Page(render(report))

    assert page.charts == CHARTS
    assert page.tags.count("caption") == len(CHARTS)


def test_the_page_refers_to_nothing_outside_itself(report):
    page = Page(render(report))

    assert [link for link in page.links if not link.startswith(("#", "data:,"))] == []
    assert "url(" not in (ASSETS / "style.css").read_text("utf-8")


def test_the_content_policy_allows_our_scripts_and_no_request(report):
    html = render(report)

    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy[1]


def test_hostile_texts_stay_texts(report, hostile_report):
    honest, hostile = Page(render(report)), Page(render(hostile_report))

    assert "img" not in hostile.tags
    assert hostile.handlers == []
    assert hostile.tags.count("script") == honest.tags.count("script")
    assert "onerror" in hostile.text


def test_the_embedded_data_are_json_that_cannot_end_their_script(hostile_report):
    page = Page(render(hostile_report))

    assert "<" not in page.data
    assert json.loads(page.data)["messages"][0]["reason"] == hostile_report.messages[0].reason


def test_no_bundled_script_can_end_its_own_tag():
    for name in ("echarts/echarts.min.js", "charts.js", "page.js"):
        assert "</script" not in (ASSETS / name).read_text("utf-8").lower()


def test_what_is_invented_is_said(report):
    assert all(sentence in Page(render(report)).text for sentence in report.invented)


def test_the_why_of_each_message_is_on_the_page(report):
    text = Page(render(report)).text

    assert "the daily cap was used up" in text
    assert "154****1234" in text


def test_months_beyond_the_data_are_blank_and_not_zero(report):
    html = render(report)

    assert '<tr><th scope="row">2026-02</th><td class="n">4</td>' in html
    assert '<td class="n"></td>' in html


def test_a_day_on_which_nothing_happened_still_gives_a_page(empty_report):
    page = Page(render(empty_report))

    assert page.charts == set()
    assert page.text.count("Nothing to show.") == len(CHARTS) - 1


def test_touchpoints_that_led_to_nothing_fold_into_one_line(report):
    assert "6 touchpoints from 2026-01-03 to 2026-01-08" in Page(render(report)).text


def test_equal_data_give_equal_pages(report):
    assert render(report) == render(report)


def test_a_whole_phone_number_is_refused_and_not_repeated(report):
    step = Step(at="2026-01-03T10:00", kind="message", title="To 15412345678")
    careless = attrs.evolve(report, journey=attrs.evolve(report.journey, steps=(step,)))

    with pytest.raises(InvalidValueError, match=r"report\.journey") as refused:
        render(careless)

    assert "15412345678" not in str(refused.value)


def test_digits_of_the_digest_are_no_phone(report):
    assert render(attrs.evolve(report, digest="a15412345678b"))


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        pytest.param("15412345678", "154****5678", id="a mainland mobile keeps its ends"),
        pytest.param("021-5551234", "****", id="anything else is hidden whole"),
    ],
)
def test_a_masked_phone_cannot_be_called(phone, masked):
    assert mask_phone(phone) == masked


@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "soft", "accent", "bad", "warm", "plum"])
def test_texts_stand_out_from_what_they_are_on(colours, text):
    assert contrast(colours[text], colours["card"]) >= 4.0
    if text in ("ink", "soft", "accent"):
        assert contrast(colours[text], colours["paper"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_echarts_is_bundled_unchanged_with_its_licences():
    echarts = ASSETS / "echarts"

    assert sha256((echarts / "echarts.min.js").read_bytes()).hexdigest() in (echarts / "README.md").read_text("utf-8")
    for name in ("LICENSE", "NOTICE", "LICENSE-d3", "LICENSE-zrender"):
        assert (echarts / name).is_file()
