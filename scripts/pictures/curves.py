"""Pictures of training: losses, accuracies, and gradients over time steps."""

import math

from drawing import Chart, Picture, mean_in_bins
from runs import evaluations, first_series, losses, metrics

BASELINE = 1 / 6  # the mean squared error of adding's best constant


def thousands(step):
    return f"{step:,}"


def power(value):
    """1000 as 10³."""
    text = str(round(math.log10(value)))
    return "10" + text.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def plainly(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def explodes(path, run, clipped):
    end = next(line for line in metrics(run) if line["event"] == "diverged")
    p = Picture(
        700,
        390,
        "A loss that explodes, and the same run with clipped gradients",
        f"Training loss over steps with a learning rate of 0.1. Without clipping the loss jumps several times. At step "
        f"{end['step']} it is {end['loss']}, and the program stops. With gradients clipped to norm 1 the run ends.",
    )
    free, held = losses(run), losses(clipped)
    free.append((end["step"], end["loss"]))
    top = max(y for _, y in free if y is not None and math.isfinite(y))
    chart = Chart(
        p, (80, 60, 580, 250), (0, 3000), (0.03, max(10, top * 2)), "training step", "loss, on a logarithmic scale",
        log=True, x_ticks=range(0, 3001, 500), x_text=thousands, y_text=plainly,
    )
    chart.line(mean_in_bins(held, 300), 0)
    chart.line(mean_in_bins([q for q in free if q[0] < end["step"] - 40], 300) + free[-40:], 1)
    last = next(q for q in reversed(free) if q[1] is not None and math.isfinite(q[1]))
    x, y = chart.x(last[0]), chart.y(last[1])
    p.text(x, y - 1, "×", "name", colour="s1")
    said = f"loss {last[1]:,.0f}" if last == free[-1] else "loss not finite"
    p.text(x - 10, y, f"step {end['step']}: {said}", "label", "end")
    chart.legend(90, 370, [(1, "learning rate 0.1, seed 1")])
    chart.legend(360, 370, [(0, "the same with --clip-norm 1")])
    p.write(path)


def activations(path):
    p = Picture(
        640,
        300,
        "ReLU and tanh",
        "Left: ReLU is 0 for negative x and x itself for positive x. Right: tanh rises from -1 to 1 and is flat at both ends.",
    )
    for i, (name, f, note) in enumerate(
        (("ReLU", lambda x: max(x, 0.0), "slope 0 or 1"), ("tanh", math.tanh, "slope near 0 at both ends"))
    ):
        ys, ticks = ((-1, 4), range(-1, 5)) if i == 0 else ((-1.5, 1.5), (-1, 0, 1))
        chart = Chart(p, (70 + 310 * i, 60, 230, 180), (-4, 4), ys, "x", name, x_ticks=range(-4, 5, 2), y_ticks=ticks)
        chart.line([(x / 20, f(x / 20)) for x in range(-80, 81)], i)
        p.text(70 + 310 * i + 115, 40, note, "label")
    p.write(path)


def variants(path, runs):
    """Test accuracy over steps: (name, run) each."""
    p = Picture(
        700,
        380,
        "Test accuracy with ReLU or tanh, and with one or two layers",
        "Test accuracy over training steps. At the end: "
        + "; ".join(f"{name} {evaluations(run)[-1]['accuracy']:.2f} %" for name, run in runs)
        + ".",
    )
    chart = Chart(
        p, (70, 60, 400, 250), (0, 900), (78, 100), "training step", "test accuracy in %",
        x_ticks=range(0, 901, 100), y_ticks=range(80, 101, 5),
    )
    names = []
    for i, (name, run) in enumerate(runs):
        chart.line([(e["step"], e["accuracy"]) for e in evaluations(run)], i)
        names.append((i, f"{name}: {evaluations(run)[-1]['accuracy']:.2f} %"))
    chart.legend(490, 200, names)
    p.write(path)


def adding_sample(path, run):
    """One sequence of the adding task."""
    steps, target = first_series(run)
    marked = [(t + 1, value) for t, (value, mark) in enumerate(steps) if mark > 0.5]
    p = Picture(
        700,
        260,
        "A sample of the adding task",
        f"{len(steps)} random numbers between 0 and 1, one a time step. Two of them are marked: "
        + " and ".join(f"{value:.2f} at step {t}" for t, value in marked)
        + f". The answer after the last step is their sum, {target:.2f}.",
    )
    chart = Chart(
        p, (60, 50, 610, 140), (0, len(steps)), (0, 1.2), "time step", "a number at each step; two are marked",
        x_ticks=range(0, len(steps) + 1, 20), y_ticks=(0, 0.5, 1),
    )
    width = 610 / len(steps)
    for t, (value, mark) in enumerate(steps):
        x, y = chart.x(t), chart.y(value)
        colour = "var(--s1)" if mark > 0.5 else 'var(--line)" fill-opacity="0.55'
        p.add(f'<rect x="{x + 1:.1f}" y="{y:.1f}" width="{width - 2:.1f}" height="{190 - y:.1f}" fill="{colour}"/>')
    for t, value in marked:
        p.text(chart.x(t - 0.5), chart.y(1.1), f"{value:.2f}", "label", colour="s1")
    p.text(365, 243, " + ".join(f"{value:.2f}" for _, value in marked) + f" = {target:.2f}", "name")
    p.write(path)


def adding(path, runs):
    """Training loss of the adding task over steps: (name, run) each."""
    p = Picture(
        700,
        400,
        "The adding task over 100 steps",
        "Training loss over steps. A plain tanh network stays at 0.167, the loss of always answering 1. At the end: "
        + "; ".join(f"{name} {evaluations(run)[-1]['loss']:.2g}" for name, run in runs)
        + ".",
    )
    chart = Chart(
        p, (70, 60, 590, 260), (0, 2000), (3e-5, 3), "training step", "mean squared error, on a logarithmic scale",
        log=True, x_ticks=range(0, 2001, 500), x_text=thousands, y_text=lambda v: f"{v:.4f}".rstrip("0").rstrip("."),
    )
    y = chart.y(BASELINE)
    p.line([(70, y), (660, y)], "soft", 1, "4 4")
    p.text(655, y - 9, "always answering 1: 0.167", "label", "end")
    for i, (name, run) in enumerate(runs):
        chart.line(mean_in_bins(losses(run), 150), i)
    chart.legend(90, 240, [(i, name) for i, (name, _) in enumerate(runs)])
    p.write(path)


def gradients(path, runs, title, note):
    """Norm of the gradient that reaches each time step: (name, run, step of an evaluation) each."""
    shown = []
    for name, run, step in runs:
        inside = next(line["inside"] for line in metrics(run) if "inside" in line and line["step"] == step)
        gradient = next(layer["gradient"] for layer in inside["layers"] if "gradient" in layer)
        shown.append((name, list(zip(inside["times"], gradient))))
    everything = [v for _, points in shown for _, v in points if v > 0]
    last = max(t for _, points in shown for t, _ in points)
    ends = [f"{name}: {points[0][1]:.1e} at the first step, {points[-1][1]:.1e} at the last" for name, points in shown]
    p = Picture(700, 410, title, note + " " + "; ".join(ends) + ".")
    least = 1e-12  # smaller numbers are as good as 0
    low, high = (math.log10(v) for v in (max(min(everything), least), max(everything)))
    powers = range(math.floor(low), math.ceil(high) + 1)
    chart = Chart(
        p,
        (90, 60, 580, 240),
        (1, last),
        (10.0 ** powers[0], 10.0 ** powers[-1]),
        "time step",
        "norm of the gradient that reaches the hidden state of this step, on a logarithmic scale",
        log=True,
        x_ticks=[1, *range(7, 29, 7)] if last == 28 else [1, *range(last // 5, last + 1, last // 5)],
        y_ticks=[10.0**k for k in powers[:: max(1, len(powers) // 6)]],
        y_text=lambda v: ("≤ " if v < 2 * least else "") + power(v),
    )
    for i, (_, points) in enumerate(shown):
        chart.line(points, i)
    for i, (name, _) in enumerate(shown):
        chart.legend(90 + 200 * (i % 3), 366 + 20 * (i // 3), [(i, name)])
    p.write(path)
