"""The page as a whole: for every kind of run, on every screen, with other people's names."""
import http.server
import re
import shutil
import threading

import pytest
from axe_core_python.selenium import Axe
from conftest import RUNS, data_of, has_mnist, with_data
from selenium.common.exceptions import NoAlertPresentException

THEMES = ("light", "dark")
SEVERAL = ("adding", "adding1", "adding_lr", "failed")


# Text that is smaller than 11 pixels; labels in the picture of the network aside.
SMALL_TEXT = """return [...document.querySelectorAll('main *')].filter(
    (e) => !e.closest('svg') && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) &&
        parseFloat(getComputedStyle(e).fontSize) < 11).map((e) => e.outerHTML)"""


@pytest.mark.parametrize("name", RUNS)
def test_a_page_of_every_kind_of_run_opens(browser, report, name):
    """The fixture checks that there is no error and no request."""
    page = report(name)
    browser.screen(360)
    browser.open(page)
    assert browser.text("h1") == browser.driver.title.split(" · ")[0] == name
    assert browser.js("return document.documentElement.scrollWidth") <= 360
    assert browser.js(SMALL_TEXT) == []
    assert "can't be shown" not in browser.text()
    # Chart.js is 0.2 MB of it. The network of the tutorial's size is 0.1 MB, its samples 0.5 MB.
    print(f"{name}: {page.stat().st_size} bytes")
    assert page.stat().st_size < 2_000_000


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", (360, 1400))
@pytest.mark.parametrize("names", (("digits",), SEVERAL))
def test_fits_the_screen(browser, report, names, width, theme):
    browser.screen(width, theme)
    browser.open(report(*names))
    assert browser.js("return document.documentElement.scrollWidth") <= width
    paper = browser.js("return getComputedStyle(document.documentElement).backgroundColor")
    light = sum(int(part) for part in paper[4:-1].split(",")) > 3 * 128
    assert light == (theme == "light")


@pytest.mark.parametrize("names", (("digits",), ("copy",), ("failed",), ("both",), ("adding",),
                                   SEVERAL))
def test_axe_finds_nothing(browser, report, names):
    browser.open(report(*names))
    for cell in browser.all(".confusion button")[1:2]:
        cell.click()  # so that its samples are there
    for width, theme in ((1400, "light"), (360, "dark")):
        browser.screen(width, theme)
        browser.settle()
        result = Axe().run(browser.driver)
        found = [(rule["id"], node["html"], node["failureSummary"])
                 for rule in result["violations"] for node in rule["nodes"]]
        assert not found, (width, theme)
        assert "color-contrast" in [rule["id"] for rule in result["passes"]]


def test_errors_of_a_page_survive_the_next_page(chromium, tmp_path):
    """Otherwise a test that opens two pages would miss what the first one said."""
    for name, script in (("bad", "throw Error('heard')"), ("good", "")):
        (tmp_path / f"{name}.html").write_text(
            f"<!DOCTYPE html><body><footer></footer><script>{script}</script>")
        chromium.open(tmp_path / f"{name}.html")
    errors, _ = chromium.logs()
    assert len(errors) == 1 and "heard" in errors[0]


def test_details_of_a_narrow_screen(browser, report):
    """What is cut off, run together or hidden there is easily missed on a wide one."""
    page = report("digits")
    browser.screen(360)
    browser.open(page)
    # The picture of the network begins at the outputs, which are above its last step.
    left, rest = browser.js("""const {scrollLeft, scrollWidth, clientWidth} =
        document.querySelector('#network .scroller');
        return [scrollLeft, scrollWidth - clientWidth];""")
    assert left == pytest.approx(rest, abs=2) and rest > 100
    # The names of the classes have room between them.
    gaps = browser.js("""const boxes = [...document.querySelectorAll('#inside .lane-names li')].map(
        (item) => {
          const text = document.createRange();
          text.selectNodeContents(item);
          return text.getBoundingClientRect();
        });
        return boxes.slice(1).map(({left}, i) => left - boxes[i].right);""")
    assert len(gaps) == 9 and min(gaps) > 2
    # The last label of an axis is not cut off.
    for canvas in browser.all("#curves .chart canvas"):
        assert browser.js("""const {chartArea, width} = Chart.getChart(arguments[0]);
            return width - chartArea.right""", canvas) >= 12
    # A layer's text keeps its lines.
    texts = data_of(page)["runs"][0]["layers"]
    shown = browser.js("return [...document.querySelectorAll('.layers li')].map((li) => li.innerText)")
    assert any("\n" in text for text in texts)
    assert [text.count("\n") for text in shown] == [text.count("\n") for text in texts]


def test_pictures_that_take_keys_say_so(browser, report):
    """A reader of the screen hands keys to applications, not to images."""
    browser.open(report("digits"))
    roles = browser.js("""return [...document.querySelectorAll('main canvas')].filter(
        (canvas) => canvas.role).map((canvas) => [canvas.tabIndex >= 0, canvas.role])""")
    assert {role for keys, role in roles if keys} == {"application"}
    assert {role for keys, role in roles if not keys} == {"img"}


def test_the_colours_follow_the_system(browser, report):
    browser.open(report("failed"))
    canvas = "return document.querySelector('.chart canvas').toDataURL()"
    heat = "return document.querySelector('#weights canvas').toDataURL()"
    light = browser.js(canvas), browser.js(heat)
    browser.screen(1400, "dark")
    browser.settle()
    dark = browser.js(canvas), browser.js(heat)
    assert light[0] != dark[0] and light[1] != dark[1]


def test_a_failed_run_says_why_first(browser, report):
    page = report("failed")
    reason = data_of(page)["runs"][0]["reason"]
    assert "stopped at step" in reason
    browser.open(page)
    first = browser.js("return document.querySelector('main section').innerText")
    assert reason in first
    # Its flags look like something to type, and what it says is not said again below.
    assert "--clip-norm 1" in browser.js("""return [...document.querySelectorAll('.reason code')].map(
        (code) => code.innerText)""")
    assert "diverged" in [finding["name"] for finding in data_of(page)["runs"][0]["findings"]]
    named = browser.js("""return [...document.querySelectorAll('.findings strong')].map(
        (name) => name.innerText)""")
    assert named and "Diverged" not in named


def test_names_stay_texts(browser, report, train, tmp_path):
    """A folder's name, and every text in the data, are shown as they are and never run."""
    hostile = "<script>alert(1)<script>\"><img src=x onerror=alert(2)>"
    folder = tmp_path / hostile
    shutil.copytree(train("adding"), folder)
    page = report(folder)
    browser.open(page)
    assert browser.text("h1") == hostile
    assert hostile in browser.driver.title
    assert not browser.all("main img")

    evil = "</script><script>alert(1)</script><b>x</b><img src=x onerror=alert(2)>"

    def spoil(value):
        """Every text of the data; keys stay, as does what the page understands."""
        if isinstance(value, dict):
            return {key: inner if key in keep else spoil(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner) for inner in value]
        return evil if isinstance(value, str) else value

    def rename(data):
        """Names within the network's description, of a feature for example."""
        data["runs"][0]["network"]["description"]["input"]["names"] = [evil, evil]

    browser.open(with_data(report("adding"), "features.html", rename))
    assert f"{evil} solid" in browser.text("#inside")
    assert not browser.all("main b > b, main script, main img")

    keep = ("network", "task", "samples", "input", "status", "key")
    for name in ("copy", "failed", "fnn") if has_mnist() else ("copy", "failed"):
        browser.screen(360)
        browser.open(with_data(report(name), "spoilt.html", lambda data: data.update(spoil(data))))
        assert evil in browser.text()
        assert browser.js("return document.documentElement.scrollWidth") <= 360
        assert not browser.all("main b > b, main script, main img")
        with pytest.raises(NoAlertPresentException):
            browser.driver.switch_to.alert.accept()


@pytest.mark.parametrize("missing", (
    ("samples",), ("network",), ("samples", "network"), ("result", "evaluations"), ("confusion",),
    ("samples", "network", "result", "curves", "evaluations", "parameters", "layers", "commands",
     "weights_sha256", "findings", "confusion", "classes"),
))
@pytest.mark.parametrize("name", ("digits", "adding", "copy"))
def test_a_run_with_less(browser, report, name, missing):
    """Runs of old versions kept less, a run that has just begun has no result."""
    def cut(data):
        for key in missing:
            data["runs"][0].pop(key, None)

    browser.open(with_data(report(name), f"{name}-{'-'.join(missing)}.html", cut))
    assert browser.text("h1") == name
    assert "can't be shown" not in browser.text()


def test_nothing_leaves_the_page(chromium, report):
    """Its policy forbids requests even to a script that tries."""
    reached = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            reached.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    chromium.open(report("adding"))
    try:
        result = chromium.driver.execute_async_script("""
            const [address, done] = arguments;
            const image = new Image();
            image.onerror = () => fetch(address).then(() => done('sent'), () => done('refused'));
            image.onload = () => done('sent');
            image.src = address + 'image';""", f"http://127.0.0.1:{server.server_port}/")
        errors, _ = chromium.logs()
    finally:
        server.shutdown()
    assert result == "refused" and reached == []
    assert any("Content Security Policy" in error for error in errors)


def contrast(one, other):
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio of two colours like rgb(1, 2, 3)."""
    def luminance(colour):
        shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
                  for share in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_edges_stand_out(browser, report, theme):
    """What axe does not measure: colours in canvases and of edges, 3 to 1 at least."""
    browser.screen(1400, theme)
    browser.open(report("adding"))
    colours = browser.js("""
        const probe = document.body.appendChild(document.createElement('i'));
        const colour = (text) => {
          probe.style.color = text;
          return getComputedStyle(probe).color;
        };
        const named = ['paper', 'panel', 'ink', 'soft', 'edge', 'accent', 'faded', 'warn', 'run-1',
                       'run-2', 'run-3', 'run-4', 'run-5', 'run-6'];
        const lines = [...document.querySelectorAll('.chart canvas')].flatMap(
            (canvas) => Chart.getChart(canvas).data.datasets.map(({borderColor}) => borderColor));
        return Object.fromEntries([...named.map((name) => [name, colour(`var(--${name})`)]),
                                   ...lines.map((line) => [line, colour(line)])]);""")
    paper, panel = colours.pop("paper"), colours.pop("panel")
    assert len(colours) >= 12 + 4  # the charts' and a line for each evaluation of the gradient
    for name, colour in colours.items():
        least = 4.5 if name in ("ink", "soft", "accent", "warn") else 3
        assert contrast(colour, paper) >= least, name
        assert contrast(colour, panel) >= least, name
