"""Figures over all rounds: best and median times, shares of peak, and what became of each hope."""
import statistics
from dataclasses import dataclass

import workloads


@dataclass
class Figure:
    """All runs of a system in a unit: the best of all, and the median of the rounds' medians."""
    runs: list

    @property
    def best(self):
        return min(run["best_ms"] for run in self.runs)

    @property
    def median(self):
        return statistics.median(run["median_ms"] for run in self.runs)

    @property
    def disturbed(self):
        """Others used more than a tenth of the machine meanwhile: the times say little."""
        others = sum(run["others_s"] for run in self.runs)
        return others > 0.1 * sum(run["cores_s"] for run in self.runs)

    def last(self, key):
        return self.runs[-1].get(key)

    def share(self):
        """Of the FMA peak: the best time by the best peak; the median of each round by its own."""
        work = self.last("mflop")
        peaks = [run["peak_gflops"] for run in self.runs]
        rounds = [work / run["median_ms"] / run["peak_gflops"] for run in self.runs]
        return work / self.best / max(peaks), statistics.median(rounds)

    def late(self):
        """The 99.9th percentile of single calls, the median of the rounds."""
        return statistics.median(run["p999_ms"] for run in self.runs)

    def share_of_l2(self):
        """Of the L2's bandwidth for reading the weights, (best, median)."""
        shares = [run["share_of_l2"] for run in self.runs]
        rounds = [run["share_of_l2"] * run["best_ms"] / run["median_ms"] for run in self.runs]
        return max(shares), statistics.median(rounds)


class Figures:
    """Finds figures, and the reasons where there are none."""

    def __init__(self, results):
        self.by_key = {}
        for run in results["runs"]:
            key = run["workload"], run["threads"], run["system"]
            self.by_key.setdefault(key, Figure([])).runs.append(run)
        self.why = {(f["workload"], f["threads"], f["system"]): f["why"]
                    for f in results["failures"]}

    def find(self, workload, threads, system):
        return self.by_key.get((workload, threads, system))

    def all_of(self, system):
        return [figure for key, figure in self.by_key.items() if key[2] == system]


@dataclass
class Outcome:
    hope: workloads.Hope
    best: float = None
    median: float = None
    disturbed: bool = False
    why: str = ""  # it was not measured

    def reached(self, value):
        return value >= self.hope.limit if self.hope.least else value <= self.hope.limit

    @property
    def met(self):
        return self.median is not None and self.reached(self.median)


def outcome_of(hope, figures):
    """What became of a hope, by the best times and by the medians."""
    keys = [(hope.workload, hope.threads, hope.system)]
    if hope.of:
        keys.append((hope.workload, hope.threads, hope.of))
    if hope.over:
        keys.append((*hope.over, "unroll"))
    for key in keys:
        if key not in figures.by_key:
            return Outcome(hope, why=figures.why.get(key, "left out of this run"))
    own, other = figures.by_key[keys[0]], figures.by_key[keys[-1]]
    if hope.of or hope.over:
        values = other.best / own.best, other.median / own.median
        if hope.each:
            values = tuple(v * own.last("mflop") / other.last("mflop") for v in values)
        if not hope.least:
            values = 1 / values[0], 1 / values[1]
    elif hope.figure in ("share", "share_of_l2"):
        values = getattr(own, hope.figure)()
    elif hope.figure == "accuracy":
        return Outcome(hope, own.last("accuracy"), own.last("accuracy"))
    else:
        scale = {"ms": 1, "us": 1e3}[hope.figure]
        values = own.best * scale, own.median * scale
    return Outcome(hope, *values, disturbed=own.disturbed or other.disturbed)
