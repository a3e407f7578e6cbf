#!/usr/bin/env python3
"""Makes the pictures of a report in docs/images, from a run on MNIST that it trains.

    ./dev browser -k nothing   # makes the virtual environment
    build/browser-venv/bin/python scripts/report_pictures.py build/release/unroll docs/images
"""
import base64
import json
import pathlib
import subprocess
import sys
import tempfile

from selenium import webdriver

TREE = pathlib.Path(__file__).resolve().parent.parent
# Name: width of the screen, pixels a point, theme, the sections it shows.
PICTURES = {
    "report.png": (1400, 1, "light", ("header", "#curves")),
    "report-head-dark.png": (1400, 1, "dark", ("header", "#curves")),
    "report-dark.png": (1400, 1, "dark", ("#confusion", "#inside")),
    "report-phone.png": (360, 2, "light", ("#draw", "#draw")),
}


def chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def draw(browser, digit):
    """Draws a digit of tests/browser/digits.json in the page."""
    digits = json.loads((TREE / "tests/browser/digits.json").read_text())
    browser.execute_script("document.querySelector('.field').scrollIntoView({block: 'center'})")
    box = browser.execute_script(
        "return document.querySelector('.field').getBoundingClientRect().toJSON()")
    for stroke in next(each for each in digits if each["digit"] == digit)["strokes"]:
        for i, (x, y) in enumerate(stroke + stroke[-1:]):
            kind = "Pressed" if i == 0 else "Released" if i == len(stroke) else "Moved"
            browser.execute_cdp_cmd("Input.dispatchMouseEvent", {
                "type": f"mouse{kind}", "x": box["x"] + x * box["width"],
                "y": box["y"] + y * box["height"], "button": "left", "buttons": 1, "clickCount": 1})
    browser.execute_script("unroll.drawn()")


def take(browser, page, width, density, theme, first, last):
    """The part of the page from one section to another, as a PNG."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": theme}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 900, "deviceScaleFactor": density, "mobile": width < 500})
    browser.get(page.as_uri())
    draw(browser, 3)
    top, bottom = browser.execute_script("""
        scrollTo(0, 0);
        const [first, last] = [...arguments].map(
            (selector) => document.querySelector(selector).getBoundingClientRect());
        return [first.top, last.bottom]""", first, last)
    top = 0 if first == "header" else top - 32
    clip = {"x": 0, "y": top, "width": width, "height": bottom + 32 - top, "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {
        "captureBeyondViewport": True, "clip": clip})
    return base64.b64decode(shot["data"])


def main(unroll, folder):
    with tempfile.TemporaryDirectory() as scratch:
        page = pathlib.Path(scratch) / "report.html"
        run = pathlib.Path(scratch) / "mnist-rnn-tuned-seed0"
        subprocess.run([unroll, "train", "mnist", "--out", run, "--quiet"], check=True)
        subprocess.run([unroll, "report", run, "-o", page], check=True)
        browser = chromium()
        try:
            for name, (width, density, theme, sections) in PICTURES.items():
                picture = take(browser, page, width, density, theme, *sections)
                (pathlib.Path(folder) / name).write_bytes(picture)
                print(f"{name}: {len(picture)} bytes")
        finally:
            browser.quit()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
