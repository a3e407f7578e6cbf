"""One page of several runs."""
import copy
import json
import statistics

import pytest
from conftest import with_data


@pytest.fixture
def runs(browser, report):
    names = ("adding", "adding1", "adding_lr", "failed")
    browser.open(report(*names))
    return names


def rows_of(browser, section):
    return browser.js("""return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map(
        (row) => [...row.children].map(({innerText}) => innerText))""", section)


def results(train, name):
    lines = [json.loads(line) for line in (train(name) / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == "eval"][-1]


def test_a_line_for_each_run(browser, runs):
    charts = browser.js("""return [...document.querySelectorAll('#curves .chart canvas')].map(
        (canvas) => Chart.getChart(canvas).data.datasets.map(({label}) => label))""")
    assert charts[0][:3] == list(runs[:3])
    # Lines differ by more than their colour.
    dashes = browser.js("""return Chart.getChart(document.querySelector('#curves canvas'))
        .data.datasets.map(({borderDash}) => String(borderDash))""")
    assert len(set(dashes)) == len(dashes)


def test_seven_runs_look_different(browser, report):
    def more(data):
        data["runs"] = [{**copy.deepcopy(data["runs"][0]), "name": f"run {i}"} for i in range(7)]
        data["groups"] = []
        data["differences"] = {"keys": [], "rows": []}

    browser.open(with_data(report("adding", "adding1", "adding_lr", "failed"), "seven.html", more))
    looks = browser.js("""return Chart.getChart(document.querySelector('#curves canvas'))
        .data.datasets.map(({borderDash, borderColor}) => `${borderDash} ${borderColor}`)""")
    assert len(looks) == len(set(looks)) == 7


def test_losses_of_different_kinds_have_charts_of_their_own(browser, report):
    def change(data):
        data["runs"][1]["result"]["loss_name"] = "cross-entropy"

    browser.open(with_data(report("adding", "adding1", "adding_lr", "failed"), "kinds.html", change))
    titles = browser.js("return [...document.querySelectorAll('#curves h3')].map(h => h.innerText)")
    assert [title.split(" log")[0] for title in titles[:2]] == [
        "Test loss: mean squared error", "Test loss: cross-entropy"]
    labels = browser.js("""return [...document.querySelectorAll('#curves .chart canvas')].map(
        (canvas) => Chart.getChart(canvas).data.datasets.map(({label}) => label))""")
    assert labels[:2] == [["adding", "adding_lr", "failed"], ["adding1"]]


def test_results_and_settings_that_differ(browser, runs, train):
    table = rows_of(browser, "results")
    assert [row[0] for row in table] == list(runs)
    assert [row[1] for row in table] == ["finished"] * 3 + ["diverged after 0 of 50"]
    assert table[0][2] == f"{results(train, 'adding')['accuracy']:.2f}\u00a0%"
    settings = {row[0]: row[1:] for row in rows_of(browser, "differences")}
    assert settings["seed"] == ["0", "1", "0", "0"]
    assert settings["lr"] == ["0.01", "0.01", "0.002", "100"]
    assert "hidden" not in settings


def test_mean_and_spread_over_seeds(browser, runs, train):
    values = [results(train, name)["accuracy"] for name in ("adding", "adding1")]
    row = next(row for row in rows_of(browser, "compare") if row[2] == "accuracy")
    assert row[1] == "2"
    assert row[3] == f"{statistics.mean(values):.2f}\u00a0%"
    assert row[4] == f"± {statistics.stdev(values):.2f}\u00a0%"


def test_the_failed_one_says_why(browser, runs):
    assert "stopped at step" in browser.text("#findings")
    assert "--clip-norm" in browser.text("#findings")
