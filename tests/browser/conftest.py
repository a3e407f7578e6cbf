"""What the tests of the report's page share: runs, their pages, and a browser that listens."""
import json
import os
import pathlib
import re

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

# Runs by name: what `unroll train` is told. They are short: their pages matter, not their accuracy.
RUNS = {
    "digits": ("mnist",),  # the recipe in full: the page reads drawings with it
    "tutorial": ("mnist", "--recipe", "tutorial", "--seed", 1),  # diverges
    "cnn": ("mnist", "--model", "cnn", "--hidden", 4, "--steps", 20),
    "fnn": ("mnist", "--model", "fnn", "--steps", 20),
    "linear": ("mnist", "--model", "linear", "--steps", 20),
    "permuted": ("mnist", "--model", "gru", "--pixels", "--permute", "--hidden", 8, "--steps", 10),
    "both": ("mnist", "--model", "lstm", "--layers", 2, "--bidirectional", "--hidden", 16, "--steps", 20),
    "adding": ("adding", "--length", 30, "--steps", 400, "--eval-every", 100),
    "adding1": ("adding", "--length", 30, "--steps", 400, "--eval-every", 100, "--seed", 1),
    "adding_lr": ("adding", "--length", 30, "--steps", 400, "--eval-every", 100, "--lr", 0.002),
    "large": ("adding", "--length", 30, "--model", "lstm", "--hidden", 300, "--steps", 3),
    "copy": ("copy", "--length", 20, "--steps", 100),
    "failed": ("adding", "--length", 30, "--optimizer", "sgd", "--lr", 100, "--clip-norm", 0,
               "--schedule", "constant", "--steps", 50),
}
DIVERGE = ("tutorial", "failed")
MNIST = [name for name, (dataset, *_) in RUNS.items() if dataset == "mnist"]


# pixels(canvas) in the page: {data, width, height}, from a copy, as the browser wants it.
PIXELS = """
    const pixels = (canvas) => {
      const {width, height} = canvas;
      const copy = Object.assign(document.createElement('canvas'), {width, height});
      const context = copy.getContext('2d', {willReadFrequently: true});
      context.drawImage(canvas, 0, 0);
      return context.getImageData(0, 0, width, height);
    };
"""


def has_mnist():
    folder = pathlib.Path(os.environ.get("UNROLL_DATA_DIR", ""))
    return (folder / "mnist").is_dir()


@pytest.fixture(scope="session")
def train(unroll, tmp_path_factory):
    """train(name) gives the folder of a run of RUNS, trained once."""
    runs = tmp_path_factory.mktemp("runs")

    def once(name):
        if name in MNIST and not has_mnist():
            pytest.skip("MNIST is not in UNROLL_DATA_DIR")
        if not (runs / name).exists():
            unroll("train", *RUNS[name], "--out", runs / name, "--quiet",
                   code=1 if name in DIVERGE else 0)
        return runs / name

    return once


@pytest.fixture(scope="session")
def report(unroll, train, tmp_path_factory):
    """report(name, ...) gives the page of runs of RUNS, or of folders."""
    pages = tmp_path_factory.mktemp("pages")

    def once(*names):
        folders = [train(name) if name in RUNS else name for name in names]
        page = pages / ("+".join(pathlib.Path(str(name)).name for name in names) + ".html")
        if not page.exists():
            unroll("report", *folders, "-o", page)
        return page

    return once


def data_of(page):
    """The data in a page."""
    text = re.search('<script type="application/json" id="data">(.*?)</script>', page.read_text(),
                     re.DOTALL)
    return json.loads(text[1])


def with_data(page, name, change):
    """A copy of a page whose data are changed by `change`."""
    data = data_of(page)
    change(data)
    text = json.dumps(data)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    copy = page.with_name(name)
    copy.write_text(re.sub('(id="data">).*?(</script>)', lambda m: m[1] + text + m[2],
                           page.read_text(), count=1, flags=re.DOTALL))
    return copy


class Browser:
    """A Chromium that has no window, and notes errors and requests."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        # As root, in a container, there is neither a sandbox nor a large /dev/shm.
        for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.errors, self.asked = [], []
        self.screen(1400, "light")

    def screen(self, width, theme="light", density=1, height=900):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": theme}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": density,
            "mobile": width < 500})

    def open(self, page):
        """Opens a page, and waits until it has made itself."""
        self.listen()
        self.driver.get(page if isinstance(page, str) else page.as_uri())
        WebDriverWait(self.driver, 30).until(lambda driver: self.all("footer"))
        self.settle()

    def settle(self):
        """Waits for two frames, in which charts take their sizes."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));")

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def text(self, selector="main"):
        return self.js("return document.querySelector(arguments[0]).innerText", selector)

    def listen(self):
        """Notes what the pages so far have said and asked for."""
        self.errors += [entry["message"] for entry in self.driver.get_log("browser")
                        if entry["level"] in ("SEVERE", "WARNING")]
        events = [json.loads(entry["message"])["message"]
                  for entry in self.driver.get_log("performance")]
        self.asked += [event["params"]["request"]["url"] for event in events
                       if event["method"] == "Network.requestWillBeSent"]

    def logs(self):
        """Errors of the console, and addresses that were asked for, since the last call."""
        self.listen()
        errors, asked = self.errors, self.asked
        self.errors, self.asked = [], []
        return errors, asked


@pytest.fixture(scope="session")
def chromium():
    browser = Browser()
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(chromium):
    """The browser. A test fails if a page had an error or asked for anything but itself."""
    chromium.screen(1400, "light")
    chromium.driver.get("about:blank")
    chromium.logs()
    yield chromium
    errors, asked = chromium.logs()
    assert not errors
    assert not [url for url in asked if not url.startswith(("file:", "data:", "about:"))]
