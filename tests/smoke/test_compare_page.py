"""The page of ``fer compare`` in a real browser: whole, quiet, and usable without a mouse."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from fer_lightning.analysis.html.content import content
from fer_lightning.analysis.html.document import document
from fer_lightning.analysis.tables import ABSENT
from tests.helpers.results import make_run
from tests.helpers.rich_page import HOSTILE, LIGHTER, SHADES, VAL, write_page
from tests.unit.analysis.html.helpers import compared, make_rich_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.slow
BROWSERS = ("chromium", "google-chrome", "chromium-browser")
NAMED = {
    *("button", "checkbox", "combobox", "image", "link", "radio", "region", "searchbox", "slider"),
    *("table", "textbox"),
}
"""Roles that a screen reader tells by name."""
NODES = 6000
"""More elements than these take a browser too long."""


@dataclass
class Watched:
    """A page, what it asked for, and what went wrong in it."""

    page: Page
    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        why = f"none of the browsers {', '.join(BROWSERS)} is installed"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI has to run these tests: {why}")
        pytest.skip(f"needs hardware: {why}")
    sync_api = pytest.importorskip("playwright.sync_api")
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"] if as_root else []
        )
        yield started
        started.close()


def opened(browser: Browser, file: Path, width: int = 1200, **options: Any) -> Watched:
    """The page, once all of its sections are drawn."""
    page = browser.new_page(viewport={"width": width, "height": 900}, **options)
    found = Watched(page)
    page.route(
        "**/*",
        lambda route: route.continue_() if route.request.url == file.as_uri() else route.abort(),
    )
    page.on("request", lambda request: found.asked.append(request.url))
    page.on("pageerror", lambda error: found.wrong.append(str(error)))
    page.on("console", lambda said: found.wrong.append(said.text))
    page.goto(file.as_uri(), timeout=120_000)
    page.locator("body[data-state=complete]").wait_for(timeout=120_000)
    return found


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with all sections: two configurations, an unfinished run, a cell that failed."""
    return write_page(tmp_path_factory.mktemp("rich"))


def test_it_asks_nobody_and_runs_nothing_of_others(browser: Browser, rich: Path) -> None:
    found = opened(browser, rich)
    page = found.page
    assert [url for url in found.asked if not url.startswith("data:")] == [rich.as_uri()]
    assert found.wrong == []
    assert page.title() == page.locator("h1").text_content() == HOSTILE
    sections = page.locator("main > section").evaluate_all("all => all.map(one => one.id)")
    assert sections == [
        "results", "unfinished", "differences", "paper", "curves", "samples", "confusion", "roc",
        "settings", "notes", "provenance",
    ]  # fmt: skip
    assert page.locator("img").count() == 2
    assert page.locator("img").evaluate_all("all => all.every(one => one.naturalWidth > 0)")
    assert page.locator("#unfinished tbody tr").count() == 2
    page.close()


def test_filters_and_rows(browser: Browser, rich: Path) -> None:
    page = opened(browser, rich).page
    results = page.locator("#results")
    assert results.locator("tbody tr").count() == 2
    results.get_by_label("runs").check()
    assert results.locator("tbody tr").count() == 6
    results.get_by_text("Filter by key").click()
    results.get_by_role("combobox", name="status").select_option("failed")
    assert results.locator("tbody tr").count() == 1
    assert results.locator("[role=status]").text_content() == "1 of 6 rows match"
    assert results.locator("tbody tr").locator(".status-failed").text_content() == "failed"
    results.get_by_role("button", name="Clear filters").click()
    results.get_by_label("Search in all columns").fill("begun")
    assert results.locator("tbody tr").count() == 1
    results.get_by_text("Columns", exact=True).click()
    before = results.locator("thead th").count()
    results.get_by_role("checkbox", name="command").check()
    assert results.locator("thead th").count() == before + 1
    page.close()


def test_it_works_by_keyboard(browser: Browser, rich: Path) -> None:
    page = opened(browser, rich).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    heading = page.locator("#results th", has_text="g_loss").first
    heading.locator("button").focus()
    for way in ("ascending", "descending"):
        page.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == way
        assert page.evaluate("document.activeElement.closest('th').textContent").startswith(
            "g_loss"
        )
    chart = page.get_by_role("slider").first
    chart.focus()
    page.keyboard.press("Home")
    first = chart.get_attribute("aria-valuetext") or ""
    page.keyboard.press("ArrowRight")
    second = chart.get_attribute("aria-valuetext") or ""
    assert first != second
    assert first.startswith("images seen")
    assert "; A 1 (1 to 1); B 1 (1 to 1);" in second  # the hostile value is too long for a name
    lines = page.locator("#curves path.line").count()
    box = page.locator("#curves .legend input[type=checkbox]").first
    box.focus()
    page.keyboard.press("Space")
    assert page.locator("#curves path.line").count() == lines - 1
    assert page.evaluate("document.activeElement.type") == "checkbox"
    assert page.locator("#samples img").count() == 1  # one choice for all charts
    page.close()


def texts(place: Locator, what: str) -> list[str]:
    """Text of every such element of a place."""
    return place.locator(what).all_text_contents()


def cells(place: Locator) -> list[list[str]]:
    """Text of the bodies of all tables of a place, row by row."""
    script = "all => all.map(row => [...row.cells].map(cell => cell.textContent))"
    found: list[list[str]] = place.locator("tbody tr").evaluate_all(script)
    return found


def choice(place: Locator, name: str) -> Locator:
    return place.get_by_role("combobox", name=name)


def test_any_two_configurations(browser: Browser, tmp_path: Path) -> None:
    runs = [make_run(tmp_path / f"{w}{s}", s, width=w) for w in (4, HOSTILE) for s in (0, 1)]
    runs.append(make_run(tmp_path / "begun", 2, finished=False, width=4))
    for run, seed in zip(runs, (0, 1, 0, 1, 2), strict=True):
        (run / "config.yaml").write_text(f"seed: {seed}\n{'' if seed == 2 else 'steps: 1000'}\n")
    file = tmp_path / "comparison.html"
    file.write_text(document(content(compared(runs), pictures=True)), encoding="utf-8")
    page = opened(browser, file).page
    place = page.locator("#settings")
    one, other = choice(place, "One run"), choice(place, "The other")
    width = ["model.width", "4", HOSTILE]
    assert cells(place) == [width]  # the first of two that are not of one configuration
    one.select_option("A, seed 1")
    assert cells(place) == [width, ["seed", "1", "0"]]
    other.focus()
    page.keyboard.press("ArrowDown")
    assert texts(other, "option:checked") == ["B, seed 1"]
    assert cells(place) == [width]
    page.keyboard.press("End")
    begun = f"{tmp_path / 'begun'} (unfinished)"
    assert texts(place, "caption") == [f"A, seed 1 and {begun}"]
    differing = [["seed", "1", "2"], ["steps", "1000", ABSENT]]
    assert cells(place) == differing
    place.get_by_label("all keys").focus()
    page.keyboard.press("Space")
    equal = [["archives", *["aaaaaaaa"] * 2], ["image_size", "16", "16"], ["model.width", "4", "4"]]
    assert cells(place) == [*equal, *differing]
    assert texts(place, "td.differs") == ["1", "2", "1000", ABSENT]
    page.keyboard.press("Space")
    assert cells(place) == differing
    page.close()


def test_confusion_matrices_of_what_is_chosen(browser: Browser, rich: Path) -> None:
    page = opened(browser, rich).page
    place = page.locator("#confusion")
    fear = ["fear", "0.10", "0.90"]
    assert texts(place, "caption") == ["A: mean of 2 seeds", "B: mean of 2 seeds"]
    assert cells(place) == [["anger", "0.35", "0.65"], fear, ["anger", "0.15", "0.85"], fear]
    choice(place, "Seed").select_option("seed 0")
    assert texts(place, "caption") == ["A: seed 0", "B: seed 0"]
    assert cells(place) == [["anger", "0.40", "0.60"], fear, ["anger", "0.20", "0.80"], fear]
    place.get_by_label("shares of the true class").focus()
    page.keyboard.press("ArrowRight")
    assert cells(place)[0::2] == [["anger", "4", "6"], ["anger", "2", "8"]]
    choice(place, "Evaluation").select_option(VAL)
    assert texts(place, "caption") == ["A: seed 1"]
    assert cells(place) == [["anger", "10", "0"], ["fear", "1", "9"]]
    seed = choice(place, "Seed")
    assert texts(seed, "option") == ["all", "seed 1"]
    assert texts(seed, "option:checked") == ["all"]  # for there is none of seed 0
    place.get_by_role("checkbox", name="A").uncheck()
    assert place.locator("table").count() == 0
    page.close()


def test_roc_curves_of_what_is_chosen(browser: Browser, rich: Path) -> None:
    page = opened(browser, rich).page
    place = page.locator("#roc")
    assert texts(place, "caption") == ["Areas under the curves, mean of all classes"]
    means = [["A", "2", "0.8125", "0.75", "0.875"], ["B", "2", "0.5625", "0.5", "0.625"]]
    assert cells(place) == means
    choice(place, "Class").focus()
    page.keyboard.press("ArrowDown")
    assert texts(place, "caption") == ["Areas under the curves, anger"]
    assert cells(place) == [["A", "2", "0.875", "0.75", "1"], ["B", "2", "0.375", "0.25", "0.5"]]
    chart = place.get_by_role("slider", name="ROC curves, anger, 2 configurations")
    read = "false positive rate 0.1; A 0.75 (0.5 to 1); B 0.25 (0 to 0.5)"
    assert chart.get_attribute("aria-valuetext") == read
    assert place.locator("path.line").count() == 2
    choice(place, "Evaluation").select_option(VAL)
    assert place.locator("path.line").count() == 1
    assert cells(place) == [["A", "1", "0.5", "0.5", "0.5"]]
    choice(place, "Class").select_option("fear")
    assert texts(place, "caption") == ["Areas under the curves, fear"]
    assert cells(place) == [["A", "1", "0.75", "0.75", "0.75"]]
    page.close()


def shade(address: str) -> float:
    """Mean of a picture that stands in the page."""
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
        return float(np.asarray(picture.convert("L")).mean())


def test_samples_of_a_seed_and_a_step(browser: Browser, rich: Path) -> None:
    page = opened(browser, rich).page
    place = page.locator("#samples")
    seed, step = choice(place, "Seed"), choice(place, "Step")

    def check(of_seed: int, images: int) -> None:
        said = f"seed {of_seed}, {images} images seen"
        assert texts(place, "figcaption") == [f"A: {said}", f"B: {said}"]
        pictures = place.locator("img")
        named = pictures.evaluate_all("all => all.map(one => one.alt)")
        assert named == [f"Samples of A, {said}", f"Samples of B, {said}"]
        shown = pictures.evaluate_all("all => all.map(one => one.src)")
        first = SHADES[of_seed][images]
        assert [shade(one) for one in shown] == pytest.approx([first, first + LIGHTER], abs=5)

    assert texts(step, "option") == ["end of training", "50 images seen"]
    check(0, 100)
    seed.select_option("seed 1")
    check(1, 100)
    step.focus()
    page.keyboard.press("ArrowDown")
    check(1, 50)
    seed.select_option("seed 0")
    check(0, 50)
    page.close()


def test_everything_has_a_name(browser: Browser, rich: Path) -> None:
    page = opened(browser, rich).page
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.locator("#curves details table").wait_for()
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    nodes = [node for node in tree["nodes"] if not node.get("ignored")]
    roles = {node["role"]["value"] for node in nodes}
    assert {"main", "navigation", "heading", "table", "slider", "combobox", "checkbox"} <= roles
    nameless = [
        node["role"]["value"]
        for node in nodes
        if node["role"]["value"] in NAMED and not node.get("name", {}).get("value", "").strip()
    ]
    assert nameless == []
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(one => one.tagName)")
    assert levels[0] == "H1"
    assert set(levels[1:]) == {"H2"}
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("th:not([scope])").count() == 0
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_drawn(browser: Browser, rich: Path, tmp_path: Path, scheme: Any) -> None:
    page = opened(browser, rich, width=400, color_scheme=scheme).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.locator("#curves .plot").screenshot(path=tmp_path / "chart.png")
    with Image.open(tmp_path / "chart.png") as picture:
        pixels = np.asarray(picture.convert("RGB"), np.int16)
    assert (pixels[0, 0].mean() < 128) == (scheme == "dark")
    assert (np.ptp(pixels, axis=2) > 60).sum() > 100  # lines and bands
    page.close()


def test_without_pictures(browser: Browser, tmp_path: Path) -> None:
    comparison = compared([make_rich_run(tmp_path / "r")])
    file = tmp_path / "comparison.html"
    file.write_text(document(content(comparison, pictures=False)), encoding="utf-8")
    page = opened(browser, file).page
    assert page.locator("img").count() == page.locator("#samples").count() == 0
    assert page.locator("#curves path.line").count() == 1
    page.close()


def test_the_first_curves_are_of_a_column_that_the_first_configuration_has(
    browser: Browser, tmp_path: Path
) -> None:
    gan = make_run(tmp_path / "b", epochs={1: 3.0, 2: 1.0}, width=4)
    judge = make_run(tmp_path / "a", width=8)
    (judge / "metrics.csv").write_text("images_seen,val_accuracy\n10,0.5\n20,0.6\n")
    file = tmp_path / "comparison.html"
    file.write_text(document(content(compared([gan, judge]), pictures=True)), encoding="utf-8")
    page = opened(browser, file).page
    assert page.locator("#curves path.line").count() == 1
    assert page.locator("#curves select option:checked").text_content() == "epoch_g_loss"
    page.close()


def test_five_hundred_runs_are_drawn_a_page_at_a_time(browser: Browser, tmp_path: Path) -> None:
    epochs = {epoch: 1 / (1 + epoch) for epoch in range(200)}
    runs = [
        make_run(
            tmp_path / f"{number}", number % 3, epochs=epochs, width=number // 3, depth=number % 2
        )
        for number in range(500)
    ]
    plain = content(compared(runs), pictures=True)
    assert plain["curves"]["thinned"]
    file = tmp_path / "comparison.html"
    file.write_text(document(plain), encoding="utf-8")
    assert file.stat().st_size < 8e6
    found = opened(browser, file)
    page = found.page
    assert found.wrong == []
    assert page.evaluate("document.querySelectorAll('body *').length") < NODES
    assert page.locator("#results tbody tr").count() == 100
    page.locator("#results .table > button").click()
    shown = page.locator("#results tbody tr").count()
    assert shown == len(plain["groups"]) > 160
    data = json.loads(page.locator("#data").text_content() or "")
    assert len(data["runs"]) == 500
    page.close()
