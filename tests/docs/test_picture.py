"""The picture of the architecture can be read, in a light page and in a dark one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "architecture.svg"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
READABLE = 4.5
"""The contrast that text needs. Source: WCAG 2.2, success criterion 1.4.3."""

MEASURE = """
const boxes = [...document.querySelectorAll('rect')].filter(
    box => getComputedStyle(box).fill !== 'none');
return [...document.querySelectorAll('text')].map(text => {
    const own = text.getBBox();
    const around = boxes.filter(box => {
        const there = box.getBBox();
        return there.x <= own.x && there.x + there.width >= own.x + own.width / 2
            && there.y <= own.y + 3 && there.y + there.height >= own.y + own.height - 3;
    }).at(-1);
    const there = around.getBBox();
    return {
        words: text.textContent,
        fits: own.x + own.width <= there.x + there.width,
        ink: getComputedStyle(text).fill,
        paper: getComputedStyle(around).fill,
    };
});
"""


def refuse_or_skip(reason: str) -> NoReturn:
    if os.environ.get("SCRMKIT_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    browser, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
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
    service = webdriver.ChromeService(executable_path=chromedriver)
    started = webdriver.Chrome(options=options, service=service)
    yield started
    started.quit()


def luminance(colour: str) -> float:
    """How bright ``rgb(…)`` is, from 0 to 1. Source: WCAG 2.2, relative luminance."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (int(part) / 255 for part in colour[4:-1].split(","))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, brighter = sorted((luminance(one), luminance(other)))
    return (brighter + 0.05) / (darker + 0.05)


@pytest.fixture(params=["light", "dark"])
def texts(request: pytest.FixtureRequest, driver: Any) -> list[dict[str, Any]]:
    """Every text, with its colour, that of what it stands on, and whether it fits there."""
    features = [{"name": "prefers-color-scheme", "value": request.param}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get(PICTURE.as_uri())
    found: list[dict[str, Any]] = driver.execute_script(MEASURE)
    return found


def test_every_text_stands_out(texts: list[dict[str, Any]]):
    faint = [one["words"] for one in texts if contrast(one["ink"], one["paper"]) < READABLE]

    assert len(texts) > 20
    assert faint == []


def test_every_text_stays_inside_its_box(texts: list[dict[str, Any]]):
    assert [one["words"] for one in texts if not one["fits"]] == []


def test_the_colours_follow_the_page(driver: Any):
    pages = []
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.get(PICTURE.as_uri())
        pages.append(driver.execute_script("return getComputedStyle(document.querySelector('rect.page')).fill"))

    assert luminance(pages[0]) > 0.8
    assert luminance(pages[1]) < 0.1
