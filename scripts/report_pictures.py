#!/usr/bin/env python3
"""report_pictures.py PROGRAM RUN FOLDER: makes the pictures of the report of a run on MNIST.

scripts/pictures.sh calls it. It needs Chromium, and the packages of tests/browser/requirements.txt.
"""
import base64
import pathlib
import subprocess
import sys
import tempfile
import time

# Browser and hand of the page's tests.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/browser"))
from conftest import Browser  # noqa: E402
from test_draw import DIGITS, draw  # noqa: E402

DRAWN = next(each["strokes"] for each in DIGITS if each["digit"] == 3)
# Name: width of the screen, pixels a point, theme, the sections it shows.
PICTURES = {
    "report.png": (1400, 1, "light", ("header", "#curves")),
    "report-head-dark.png": (1400, 1, "dark", ("header", "#curves")),
    "report-dark.png": (1400, 1, "dark", ("#confusion", "#inside")),
    "report-phone.png": (360, 2, "light", ("#draw", "#draw")),
}


def take(browser, page, width, density, theme, first, last):
    """The part of the page from one section to another, as a PNG."""
    browser.screen(width, theme, density)
    browser.open(page)
    draw(browser, DRAWN)
    # A screen as high as the page: a picture beyond it would show charts that are being resized.
    browser.screen(width, theme, density, browser.js("return document.body.scrollHeight"))
    time.sleep(1)
    top, bottom = browser.js("""
        scrollTo(0, 0);
        const [first, last] = [...arguments].map(
            (selector) => document.querySelector(selector).getBoundingClientRect());
        return [first.top, last.bottom]""", first, last)
    top = 0 if first == "header" else top - 32
    clip = {"x": 0, "y": top, "width": width, "height": bottom + 32 - top, "scale": 1}
    shot = browser.driver.execute_cdp_cmd("Page.captureScreenshot", {
        "clip": clip})
    return base64.b64decode(shot["data"])


def main(unroll, run, folder):
    with tempfile.TemporaryDirectory() as scratch:
        page = pathlib.Path(scratch) / "report.html"
        subprocess.run([unroll, "report", run, "-o", page], check=True)
        browser = Browser()
        browser.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        try:
            for name, (width, density, theme, sections) in PICTURES.items():
                picture = take(browser, page, width, density, theme, *sections)
                (pathlib.Path(folder) / name).write_bytes(picture)
                print(f"{name}: {len(picture)} bytes")
        finally:
            browser.driver.quit()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
