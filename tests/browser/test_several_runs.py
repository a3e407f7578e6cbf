"""One page of several runs."""
import json
import statistics

import pytest


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


def test_results_and_settings_that_differ(browser, runs, train):
    table = rows_of(browser, "results")
    assert [row[0] for row in table] == list(runs)
    assert table[0][2] == f"{results(train, 'adding')['accuracy']:.2f}\u00a0%"
    settings = {row[0]: row[1:] for row in rows_of(browser, "differences")}
    assert settings["seed"] == ["0", "1", "0", "0"]
    assert settings["lr"] == ["0.01", "0.01", "0.002", "100"] or settings["lr"][2:] == ["0.002", "100"]
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
