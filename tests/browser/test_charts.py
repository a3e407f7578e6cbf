"""The curves: they are there, show their values, and can be zoomed."""
import json

import pytest
from conftest import PIXELS, data_of
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

# Pixels of a canvas that have the colour of a custom property of the page.
INK = PIXELS + """
    const [canvas, name] = arguments;
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = `var(--${name})`;
    const [red, green, blue] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
    probe.remove();
    const {data} = pixels(canvas);
    let n = 0;
    for (let i = 0; i < data.length; i += 4) {
      const far = Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) +
          Math.abs(data[i + 2] - blue);
      n += data[i + 3] > 200 && far < 40;
    }
    return n;"""
RANGES = """return [...document.querySelectorAll('#curves .chart canvas')].map((canvas) => {
    const {min, max} = Chart.getChart(canvas).scales.x;
    return [min, max];
})"""


@pytest.fixture
def charts(browser, report):
    browser.open(report("adding"))
    return browser.all("#curves .chart canvas")


# [label, xs, ys] of the lines of a chart.
LINES = """return Chart.getChart(arguments[0]).data.datasets.map(
    ({label, data}) => [label, data.map(({x}) => x), data.map(({y}) => y)])"""


def events(train, name, kind):
    lines = [json.loads(line) for line in (train(name) / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == kind]


def evaluations(train, name):
    return events(train, name, "eval")


@pytest.mark.parametrize("theme", ("light", "dark"))
def test_curves_are_drawn(browser, report, theme):
    browser.screen(1400, theme)
    browser.open(report("adding"))
    titles = browser.js("return [...document.querySelectorAll('#curves h3')].map(h => h.innerText)")
    assert [title.split(" log")[0] for title in titles] == [
        "Loss", "Accuracy in %", "Learning rate", "Gradient norm"]
    for canvas in browser.all("#curves .chart canvas"):
        assert browser.js(INK, canvas, "accent") > 100
    assert browser.js(INK, browser.all("#curves .chart canvas")[0], "faded") > 100


def test_the_gradient_over_time_is_drawn(browser, report):
    browser.open(report("adding"))
    [canvas] = browser.all("#gradient .chart canvas")
    lines = browser.js(LINES, canvas)
    assert [label for label, _, _ in lines] == [f"training step {n}" for n in (100, 200, 300, 400)]
    for _, times, norms in lines:
        assert times[0] == 1 and times[-1] == 30
        assert all(norm > 0 for norm in norms)
    assert "times as large as at time step 30" in browser.text("#gradient")


def test_the_pointer_shows_values(browser, charts, train):
    last = evaluations(train, "adding")[-1]
    ActionChains(browser.driver).move_to_element(charts[1]).perform()
    shown = browser.js("""const {tooltip} = Chart.getChart(arguments[0]);
        return [tooltip.opacity, tooltip.title[0], tooltip.body[0].lines[0]]""", charts[1])
    assert shown[0] == 1
    assert shown[1] in ("step 200", "step 300")
    browser.js("arguments[0].focus()", charts[1])
    ActionChains(browser.driver).send_keys(Keys.ARROW_RIGHT * 9).perform()  # beyond the last point
    assert browser.js("return Chart.getChart(arguments[0]).tooltip.body[0].lines[0]", charts[1]) == (
        f"test accuracy: {last['accuracy']:.4g} %")


def test_the_keyboard_reads_only_points_that_are_there(browser, charts, train):
    """The test loss is known at every 100th step; at the others there is the training loss alone."""
    steps = events(train, "adding", "step")
    browser.js("arguments[0].focus()", charts[0])
    read = "return document.querySelector('#curves figure > [role=status]').textContent"
    for moves, step, kinds in ((1, 1, ["training"]), (98, 99, ["training"]),
                               (1, 100, ["test", "training"])):
        ActionChains(browser.driver).send_keys(Keys.ARROW_RIGHT * moves).perform()
        where, values = browser.js(read).split(": ")
        assert where == f"step {step}"
        said = dict(value.split(" loss ") for value in values.split(", "))
        assert sorted(said) == kinds
        assert float(said["training"]) == pytest.approx(steps[step - 1]["loss"], rel=1e-3)
    assert float(said["test"]) == pytest.approx(evaluations(train, "adding")[0]["loss"], rel=1e-3)


def test_an_explosion_is_in_curves_gradient_and_layers(browser, report, train):
    """The step that failed, with the weights that it failed on; the test is of those that were kept."""
    [failed] = events(train, "tutorial", "diverged")
    browser.open(report("tutorial"))
    canvases = browser.all("#curves .chart canvas")
    loss = {label: (xs[-1], ys[-1]) for label, xs, ys in browser.js(LINES, canvases[0])}
    assert loss["training loss"] == pytest.approx((failed["step"], failed["loss"]), rel=1e-5)
    assert loss["test loss"] == pytest.approx((failed["kept"]["step"], failed["kept"]["loss"]))
    [(_, steps, norms)] = browser.js(LINES, canvases[-1])
    assert (steps[-1], norms[-1]) == pytest.approx((failed["step"], failed["grad_norm"]), rel=1e-5)
    assert f"Training diverged at step {failed['step']:,}: training loss " in browser.text("#curves")

    label, _, gradient = browser.js(LINES, browser.one("#gradient .chart canvas"))[-1]
    assert label == f"training step {failed['step']:,}, where it diverged"
    assert gradient == failed["inside"]["layers"][0]["gradient"]
    assert gradient[0] > 1000 * gradient[-1]
    assert f"{failed['step']:,}, where it diverged" in browser.text("#layers")


def test_gradients_that_are_not_finite_are_no_empty_chart(browser, report):
    browser.open(report("failed"))
    assert "the gradient is not finite: it is too large for the numbers" in browser.text("#gradient")
    assert not browser.all("#gradient canvas")
    # Large numbers on the axis of the curves are powers of ten.
    ticks = browser.js("""const canvases = document.querySelectorAll('#curves .chart canvas');
        return Chart.getChart(canvases[canvases.length - 1]).scales.y.ticks.map(({label}) => label)""")
    assert "1e21" in ticks and max(len(tick or "") for tick in ticks) <= 7


def test_points_of_several_steps_say_so(browser, report, train):
    """The page has at most 1000 points of a curve: means, and the largest norm of the gradient."""
    page = report("tutorial")
    curves = data_of(page)["runs"][0]["curves"]
    each, steps = curves["steps_per_point"], events(train, "tutorial", "step")
    assert each == -(-len(steps) // 1000) > 1
    for place in (0, 50, 200):
        group = steps[each * place:each * (place + 1)]
        assert curves["step"][place] == group[-1]["step"]
        assert curves["loss"][place] == pytest.approx(
            sum(step["loss"] for step in group) / each, rel=1e-5)
        assert curves["grad_norm"][place] == pytest.approx(
            max(step["grad_norm"] for step in group), rel=1e-5)
    browser.open(page)
    assert f"A point of the curves stands for {each} steps" in browser.text("#curves")
    browser.open(report("adding"))
    assert "A point of the curves" not in browser.text("#curves")


def test_no_gradient_section_without_a_word(browser, report):
    browser.open(report("both"))
    assert "only in layers that read in one direction" in browser.text("#gradient")
    browser.open(report("cnn"))
    assert not browser.all("#gradient")


def drag(browser, canvas, first, last):
    """Drags from one share of the chart's area to another."""
    left, right = browser.js("""const {left, right} = Chart.getChart(arguments[0]).chartArea;
        return [left, right]""", canvas)
    middle = canvas.size["width"] / 2
    place = [round(left + share * (right - left) - middle) for share in (first, last)]
    ActionChains(browser.driver).move_to_element_with_offset(canvas, place[0], 0).click_and_hold() \
        .move_by_offset((place[1] - place[0]) // 2, 5).move_by_offset(
            place[1] - place[0] - (place[1] - place[0]) // 2, 0).release().perform()


@pytest.mark.parametrize("first,last", ((0.25, 0.75), (0.75, 0.25)))
def test_dragging_zooms_all_charts_and_a_double_click_resets(browser, charts, first, last):
    assert browser.js(RANGES) == [[0, 400]] * 4
    drag(browser, charts[0], first, last)
    ranges = browser.js(RANGES)
    assert ranges == [ranges[0]] * 4
    assert ranges[0] == [pytest.approx(100, abs=4), pytest.approx(300, abs=4)]
    assert "Steps" in browser.text("#curves .said")
    ActionChains(browser.driver).double_click(charts[2]).perform()
    assert browser.js(RANGES) == [[0, 400]] * 4


def test_a_click_does_not_zoom(browser, charts):
    ActionChains(browser.driver).click(charts[0]).perform()
    assert browser.js(RANGES) == [[0, 400]] * 4


def test_keys_and_buttons_zoom(browser, charts):
    browser.js("arguments[0].focus()", charts[3])
    ActionChains(browser.driver).send_keys("+").perform()
    assert browser.js(RANGES) == [[100, 300]] * 4
    ActionChains(browser.driver).send_keys("-").perform()
    assert browser.js(RANGES) == [[0, 400]] * 4
    ActionChains(browser.driver).send_keys("++++++++++++").perform()
    low, high = browser.js(RANGES)[0]
    assert high - low == 1  # two steps at least
    ActionChains(browser.driver).send_keys("0").perform()
    assert browser.js(RANGES) == [[0, 400]] * 4

    buttons = {button.text: button for button in browser.all("#curves .buttons button")}
    for text, expected in (("Zoom in", [100, 300]), ("Later", [200, 400]), ("Later", [200, 400]),
                           ("Earlier", [100, 300]), ("Zoom out", [0, 400]), ("Zoom in", [100, 300]),
                           ("All steps", [0, 400])):
        browser.js("arguments[0].focus()", buttons[text])
        ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
        assert browser.js(RANGES)[0] == expected, text


def test_a_finger_zooms(browser, report):
    browser.screen(360)
    browser.open(report("adding"))
    canvas = browser.one("#curves .chart canvas")
    browser.js("arguments[0].scrollIntoView({block: 'center'})", canvas)
    box = canvas.rect
    top = box["y"] - browser.js("return scrollY") + 100
    points = [(0.4, "touchStart"), (0.6, "touchMove"), (0.8, "touchMove"), (None, "touchEnd")]
    for share, kind in points:
        touches = [] if share is None else [{"x": box["x"] + share * box["width"], "y": top}]
        browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent",
                                       {"type": kind, "touchPoints": touches})
    low, high = browser.js(RANGES)[0]
    assert 0 < low < high < 400
