"""Digits drawn by hand, stroke by stroke with the pointer, against `unroll predict`."""
import json
import math
import pathlib

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

DIGITS = json.loads((pathlib.Path(__file__).parent / "digits.json").read_text())


def draw(browser, strokes):
    """Draws in the empty field. Points are shares of its width and height."""
    field = browser.one("#draw .field")
    browser.js("arguments[0].scrollIntoView({block: 'center'})", field)
    box = browser.js("return arguments[0].getBoundingClientRect()", field)

    def send(kind, point, buttons):
        browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {
            "type": kind, "x": box["x"] + point[0] * box["width"],
            "y": box["y"] + point[1] * box["height"], "button": "left", "buttons": buttons,
            "clickCount": 1})

    for stroke in strokes:
        send("mousePressed", stroke[0], 1)
        for point in stroke[1:]:
            send("mouseMoved", point, 1)
        send("mouseReleased", stroke[-1], 0)
    return browser.js("return unroll.drawn()")


def clear(browser):
    browser.one("#draw .buttons button").click()
    assert browser.js("return unroll.drawn()") is None


def softmax(logits):
    powers = [math.exp(x - max(logits)) for x in logits]
    return [power / sum(powers) for power in powers]


def predicted(unroll, run, pixels, *flags):
    """What `unroll predict` says of an image, after every row."""
    rows = [pixels[28 * row:28 * row + 28] for row in range(28)]
    text = "".join(" ".join(map(str, row)) + "\n" for row in rows)
    return [json.loads(line) for line in
            unroll("predict", run, "--json", *flags, stdin=text).splitlines()]


def test_drawn_digits_are_read_as_predict_reads_them(browser, report, train, unroll, capsys):
    browser.open(report("digits"))
    right, answers = 0, []
    for digit in DIGITS:
        clear(browser)
        drawn = draw(browser, digit["strokes"])
        assert set(map(type, drawn["pixels"])) == {int} and max(drawn["pixels"]) <= 255
        lines = predicted(unroll, train("digits"), drawn["pixels"], "--rows")
        assert len(lines) == len(drawn["every"]) == 28
        for row, (outputs, line) in enumerate(zip(drawn["every"], lines)):
            assert softmax(outputs) == pytest.approx(line["probabilities"], abs=1e-4), (
                digit["digit"], row)
        assert drawn["prediction"] == lines[-1]["class"]
        assert f"Read as {drawn['prediction']}" in browser.text("#draw .verdict")
        right += drawn["prediction"] == digit["digit"]
        answers.append(f"{digit['digit']} as {drawn['prediction']}")
    with capsys.disabled():
        print(f"\n{right} of {len(DIGITS)} drawn digits read right: {', '.join(answers)}")
    assert {digit["digit"] for digit in DIGITS} == set(range(10))
    assert right >= 0.8 * len(DIGITS)


def test_the_keyboard_draws(browser, report, train, unroll):
    browser.open(report("digits"))
    clear(browser)
    reader = browser.one("#draw .slider"), browser.one("#draw .time .mark")
    assert not any(part.is_displayed() for part in reader)  # there is nothing to read
    assert browser.text("#draw .reading") == ""
    browser.js("arguments[0].focus()", browser.one("#draw .field"))
    ActionChains(browser.driver).send_keys(Keys.SPACE + Keys.ARROW_DOWN * 14 + Keys.SPACE).perform()
    drawn = browser.js("return unroll.drawn()")
    assert all(part.is_displayed() for part in reader)
    assert browser.text("#draw .reading").startswith("Row 28: 1 (")
    assert drawn["prediction"] == 1
    assert predicted(unroll, train("digits"), drawn["pixels"])[-1]["class"] == 1


def test_a_finger_draws_and_the_page_stays(browser, report):
    browser.screen(360)
    browser.open(report("digits"))
    field = browser.one("#draw .field")
    browser.js("arguments[0].scrollIntoView({block: 'center'})", field)
    before = browser.js("return scrollY")
    box = browser.js("return arguments[0].getBoundingClientRect()", field)
    points = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] * share}
              for share in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)]
    for number, point in enumerate(points):
        browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {
            "type": "touchStart" if number == 0 else "touchMove", "touchPoints": [point]})
    browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd",
                                                                "touchPoints": []})
    assert browser.js("return unroll.drawn().prediction") == 1
    assert browser.js("return scrollY") == before


@pytest.mark.parametrize("name", ("cnn", "fnn", "linear", "permuted", "both"))
def test_every_model_of_images_reads_drawings(browser, report, train, unroll, name):
    browser.open(report(name))
    drawn = draw(browser, DIGITS[0]["strokes"])
    [line] = predicted(unroll, train(name), drawn["pixels"])
    assert drawn["prediction"] == line["class"]
    if "scores" in line:
        assert drawn["outputs"] == pytest.approx(line["scores"], abs=1e-4)
    else:
        assert softmax(drawn["outputs"]) == pytest.approx(line["probabilities"], abs=1e-4)
