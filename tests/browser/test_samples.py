"""Confusion matrix, worst mistakes and hidden states, against what `unroll predict` says."""
import base64
import json
import re
import struct

import numpy
import pytest
from conftest import PIXELS, data_of, with_data
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

# The class that is darkest in each row of a canvas, one pixel a class and row.
DARKEST = PIXELS + """
    const {data, width, height} = pixels(arguments[0]);
    return Array.from({length: height}, (_, row) => {
      const light = Array.from({length: width}, (_, c) => data[4 * (row * width + c)]);
      return light.indexOf(Math.min(...light));
    });"""


def rows_of(unroll, folder, index):
    """The probabilities after each row, as `unroll predict` says."""
    lines = unroll("predict", folder, "mnist", "--index", index, "--rows", "--json").splitlines()
    return [json.loads(line)["probabilities"] for line in lines]


def mistaken_cell(page):
    """Truth and prediction of the fullest cell of mistakes."""
    matrix = data_of(page)["runs"][0]["confusion"]
    return max(((truth, read) for truth in range(10) for read in range(10) if truth != read),
               key=lambda cell: matrix[cell[0]][cell[1]])


def test_the_matrix_is_that_of_eval(browser, report, train, unroll):
    browser.open(report("digits"))
    cells = browser.js("""return [...document.querySelectorAll('.confusion tbody tr')].map(
        (row) => [...row.querySelectorAll('button')].map(({textContent}) => +textContent))""")
    total = sum(map(sum, cells))
    right = sum(cells[i][i] for i in range(10))
    assert total == 10000
    assert f"{right} of 10000" in unroll("eval", train("digits"), "mnist")


def test_a_cell_shows_its_samples(browser, report, train, unroll):
    page = report("digits")
    truth, read = mistaken_cell(page)
    browser.open(page)
    rows = browser.all(".confusion tbody tr")
    rows[truth].find_elements("css selector", "button")[read].click()
    assert browser.text(".cell-samples h3") == f"{truth} read as {read}"
    shown = browser.all(".thumbnails li")
    assert shown
    for item in shown[:2]:
        index = int(item.text.split()[-1])
        probabilities = rows_of(unroll, train("digits"), index)[-1]
        assert probabilities.index(max(probabilities)) == read
        picture = item.find_element("css selector", "canvas")
        assert browser.js(PIXELS + "return new Set(pixels(arguments[0]).data).size", picture) > 10
    # A sample leads to its hidden states.
    shown[0].find_element("css selector", "button").click()
    chosen = Select(browser.one("#inside select")).first_selected_option.text
    assert chosen.startswith(shown[0].text.strip())


def test_the_keyboard_walks_the_matrix(browser, report):
    page = report("digits")
    truth, read = mistaken_cell(page)
    browser.open(page)
    browser.js("arguments[0].focus()", browser.one(".confusion button[tabindex='0']"))
    ActionChains(browser.driver).send_keys(
        Keys.ARROW_DOWN * truth + Keys.ARROW_RIGHT * read + Keys.ENTER).perform()
    assert browser.text(".cell-samples h3") == f"{truth} read as {read}"
    assert len(browser.all(".confusion button[tabindex='0']")) == 1


def test_the_worst_mistakes_show_what_predict_says(browser, report, train, unroll):
    browser.open(report("digits"))
    cards = browser.all(".card")
    assert 1 <= len(cards) <= 12
    for card in cards[:3]:
        index = int(card.find_element("css selector", ".note button").text.split()[-1])
        expected = rows_of(unroll, train("digits"), index)
        darkest = browser.js(DARKEST, card.find_element("css selector", ".probabilities canvas"))
        assert len(darkest) == 28
        for row, shares in enumerate(expected):
            if sorted(shares)[-1] - sorted(shares)[-2] > 0.05:  # the colours are 256 only
                assert darkest[row] == shares.index(max(shares)), (index, row)
        sure = max(expected[-1])
        assert f"read as {expected[-1].index(sure)}" in card.text
    browser.one("#mistakes > .buttons button").click()
    assert len(browser.all(".card")) > len(cards)


def test_the_page_computes_as_predict_does(browser, report, train, unroll):
    """Probabilities after every row: to 1e-4."""
    browser.open(report("digits"))
    traced = browser.js("""
        const {runs: [{network, samples}]} = JSON.parse(document.getElementById('data').textContent);
        const all = Uint8Array.from(atob(samples.inputs), (c) => c.charCodeAt(0));
        const net = new Network(network);
        return [0, 1, 2].map((i) => [samples.indices[i], net.trace(net.fromPixels(
            all.subarray(784 * i, 784 * (i + 1)))).outputs.map(
                (outputs) => Array.from(net.probabilities(outputs)))]);""")
    for index, rows in traced:
        expected = rows_of(unroll, train("digits"), index)
        assert len(rows) == len(expected) == 28
        for row, shares in zip(rows, expected):
            assert row == pytest.approx(shares, abs=1e-4)


@pytest.mark.parametrize("name,parts", (("digits", 1), ("adding", 4), ("both", 24)))
def test_hidden_states_of_a_chosen_sample(browser, report, name, parts):
    """A gru has a state and three gates; an lstm has two states and four gates."""
    browser.open(report(name))
    sample, part = (Select(select) for select in browser.all("#inside select"))
    picture = "return document.querySelector('#inside .state canvas').toDataURL()"
    first = browser.js(picture)
    sample.select_by_index(3)
    assert browser.js(picture) != first
    assert len(part.options) == parts
    slider = browser.one("#inside input[type='range']")
    reading = browser.text("#inside .reading")
    assert "Busiest: unit " in reading
    slider.send_keys(Keys.ARROW_LEFT)
    assert browser.text("#inside .reading") != reading
    before = browser.js(picture)
    browser.one("#inside input[type='checkbox']").send_keys(Keys.SPACE)
    assert browser.js(picture) != before


def test_a_large_network_shows_the_states_that_the_run_kept(browser, report, train):
    """The busiest units are those that NumPy finds in samples.safetensors."""
    content = (train("large") / "samples.safetensors").read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    tensor = json.loads(content[8:start])["states.lstm"]
    first, last = tensor["data_offsets"]
    states = numpy.frombuffer(content[start + first:start + last], "<f4").reshape(tensor["shape"])
    browser.open(report("large"))
    assert "The run kept the hidden states of 4 samples" in browser.text("#inside")
    sample = Select(browser.one("#inside select"))
    assert len(sample.options) == 4
    indices = data_of(report("large"))["runs"][0]["samples"]["indices"]
    for i, option in enumerate(sample.options):
        k = indices.index(int(re.match(r"Sample (\d+):", option.text)[1]))
        sample.select_by_index(i)
        busiest = numpy.argsort(-abs(states[k, -1]))[:3]
        shown = re.findall(r"unit (\d+)", browser.text("#inside .reading"))
        assert shown == [str(unit) for unit in busiest]


def test_without_hidden_states_a_sample_is_no_link(browser, report):
    """Nothing would happen on a click."""
    page = report("cnn")
    truth, read = mistaken_cell(page)
    browser.open(page)
    browser.js("document.querySelectorAll('.confusion tbody tr')[arguments[0]]"
               ".querySelectorAll('button')[arguments[1]].click()", truth, read)
    assert "Sample" in browser.text(".thumbnails")
    assert "sample" in browser.text(".card .note:last-child")
    assert not browser.all(".thumbnails button, .card button")


@pytest.mark.parametrize("name,said,unsaid", (
    ("digits", ("The hidden state is all", "after every step"), ("cell state", "backwards")),
    ("both", ("Hidden state and cell state are all", "begins at the last step"), ()),
    ("cnn", ("no recurrent layer",), ("answered after every step",)),
))
def test_sentences_fit_the_model(browser, report, name, said, unsaid):
    browser.open(report(name))
    text = browser.text("#mistakes .lead") + browser.text("#inside")
    assert all(words in text for words in said)
    assert not any(words in text for words in unsaid)
    assert ("answered after every step" in text) == (name == "digits")


@pytest.mark.parametrize("width", (360, 1400))
def test_lines_are_sharp_and_have_a_scale(browser, report, width):
    """As many pixels as the box has, and the lowest and highest value in figures."""
    page = report("adding")
    browser.screen(width)
    browser.open(page)
    drawn, seen, high, low = browser.js("""
        const lines = document.querySelector('#inside .lines'), canvas = lines.querySelector('canvas');
        return [canvas.width, canvas.getBoundingClientRect().width,
                lines.querySelector('.high').innerText, lines.querySelector('.low').innerText];""")
    assert drawn == pytest.approx(seen * browser.js("return devicePixelRatio"), abs=1)
    samples = data_of(page)["runs"][0]["samples"]
    inputs = numpy.frombuffer(base64.b64decode(samples["inputs"]), "<f4")
    shown = inputs.reshape(samples["count"], -1)[samples["worst"][0]]
    assert float(high) == pytest.approx(shown.max(), rel=1e-3)
    assert float(low) == pytest.approx(shown.min(), rel=1e-3)


def test_the_target_of_a_series_is_shown(browser, report, train):
    page = report("adding")
    browser.open(page)
    samples = data_of(page)["runs"][0]["samples"]
    worst = samples["worst"][0]
    wanted = samples["targets"][worst]
    wanted = wanted[0] if isinstance(wanted, list) else wanted
    assert f"Is {wanted:.4g}, predicted" in browser.text(".card h3")


def test_many_classes_show_the_largest_mistakes(browser, report):
    """A matrix of 40 classes would not fit; its largest mistakes do."""
    def many(data):
        matrix = [[50 if read == truth else 0 for read in range(40)] for truth in range(40)]
        matrix[7][31], matrix[31][7] = 9, 12
        data["runs"][0].update(confusion=matrix, classes=[f"word {i}" for i in range(40)])

    browser.open(with_data(report("adding"), "many.html", many))
    rows = browser.js("""return [...document.querySelectorAll('#confusion tbody tr')].map(
        (row) => [...row.children].map(({innerText}) => innerText))""")
    assert [row[:3] for row in rows] == [["word 31", "word 7", "12"], ["word 7", "word 31", "9"]]
    browser.all("#confusion tbody button")[1].click()
    assert "9 test samples. The run kept none of them." in browser.text(".cell-samples")


def test_tokens_are_shown_as_text(browser, report):
    """A model of tokens is not trained here yet; its samples are numbers or words."""
    def tokens(data):
        run = data["runs"][0]
        run.pop("network")
        run["network_note"] = "The network has too many weights."
        numbers = b"".join(token.to_bytes(8, "little") for token in (3, 1, 4, 1, 5, 9))
        logits = struct.pack("<4f", 0, 3, 2, 0)
        run.update(task="classes", classes=["good", "<b>bad</b>"], samples={
            "count": 2, "indices": [5, 8], "targets": [0, 0], "losses": [3.0, 0.1], "worst": [0],
            "lengths": [2, 3], "shape": [3], "type": "i64", "output_shape": [2],
            "inputs": base64.b64encode(numbers).decode(),
            "outputs": base64.b64encode(logits).decode()})

    browser.open(with_data(report("copy"), "tokens.html", tokens))
    assert browser.text(".card h3") == "Is good, read as <b>bad</b> (95.3\u00a0%)"
    assert browser.text(".card .tokens") == "3 1"
    assert "too many weights" in browser.text("#inside")


def test_the_keyboard_reads_a_weight(browser, report, train, unroll, tmp_path):
    """The value is the one that NumPy finds in `unroll export --format npz`."""
    unroll("export", train("adding"), "--format", "npz", "-o", tmp_path / "weights.npz")
    with numpy.load(tmp_path / "weights.npz") as archive:
        value = archive["gru.weight_hh_l0"][64 + 2, 3]  # the second gate of 64 units
    browser.open(report("adding"))
    figure = next(figure for figure in browser.all("#weights figure")
                  if figure.find_element("css selector", "h3").text.startswith("gru.weight_hh_l0"))
    canvas = figure.find_elements("css selector", ".heat canvas")[1]
    assert "Update gate" in canvas.get_attribute("aria-label")
    browser.js("arguments[0].focus()", canvas)
    ActionChains(browser.driver).send_keys(Keys.ARROW_DOWN * 2 + Keys.ARROW_RIGHT * 3).perform()
    said, number = figure.find_element("css selector", ".reading").text.split(": ")
    assert said == "Row 2, column 3"
    assert float(number) == pytest.approx(value, rel=1e-3)
