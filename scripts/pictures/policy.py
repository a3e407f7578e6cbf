"""policy.py PICTURE CURVES...: draws the curves that examples/rl.py wrote. GRU's are gru-*.csv, the others none-*.csv."""

import csv
import os
import sys

from drawing import Chart, Picture

NAMES = {"gru": "GRU of 64 units", "none": "no memory"}


def read(path):
    with open(path, newline="") as file:
        return [(int(row["step"]), float(row["mean return"])) for row in csv.DictReader(file)]


def main(picture, *paths):
    curves = [(os.path.basename(path).split("-")[0], read(path)) for path in sorted(paths)]
    ends = {kind: [points[-1][1] for k, points in curves if k == kind] for kind in NAMES}
    last = max(step for _, points in curves for step, _ in points)
    p = Picture(
        700,
        380,
        "CartPole without velocities: a policy with memory, and one without",
        "Mean return of the last 100 episodes over steps of all environments. At the end: "
        + "; ".join(f"{NAMES[kind]} {min(e):.0f} to {max(e):.0f}" for kind, e in ends.items())
        + f", in {len(ends['gru'])} seeds. The most is 500.",
    )
    chart = Chart(
        p, (70, 60, 590, 250), (0, last), (0, 520), "steps of all environments", "mean return of the last 100 episodes",
        x_ticks=range(0, last + 1, 50000), x_text=lambda x: f"{x:,}", y_ticks=range(0, 501, 100),
    )
    for kind, points in curves:
        chart.line(points, list(NAMES).index(kind))
    for i, (kind, name) in enumerate(NAMES.items()):
        chart.legend(90 + 280 * i, 368, [(i, f"{name}: {len(ends[kind])} seeds")])
    p.write(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
