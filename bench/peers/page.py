"""Writes docs/benchmarks.md from raw results."""
import textwrap

from figures import Figures, outcome_of
from workloads import HOPES, LARGE, RAGGED, TITLES, UNITS, sizes_of

MARK = "†"  # beside what was measured while others used the machine
FEW_ROUNDS = 3
SAMPLE_MS = 1e3 / 48_000  # what a step may take that is made for each sample of sound

WHAT_IS_COMPARED = """\
A training step is: a batch from memory, zero_grad, forward, backward, clipping, SGD 0.1. The loss is
the cross-entropy of a readout of the last time step. The gradient's norm is clipped to 1. All numbers
are f32.

| letter | meaning |
| --- | --- |
| t | time steps |
| i | input features |
| h | hidden units |
| n | sequences in a batch, or images of a cnn |
| c | channels after the first convolution of a cnn |

| name | what is measured |
| --- | --- |
| Unroll | `unroll bench` |
| PyTorch | eager mode, the usual code |
| JAX | One jitted call: `lax.scan` (or the convolutions), gradient and update. The product of the \
inputs is outside the scan. Only JAX is bound to as many cores as it has threads. |
| oneDNN, layer alone | The recurrent layer, forward and backward, and nothing else of the step. Its \
weights are packed once. |
| mixed | 64 sequences, one of each length from 1 to 64. PyTorch packs them in every step \
(`pack_padded_sequence`). |
| onelong | One sequence of 500 steps and 63 sequences of 5. PyTorch packs them too. |
| regularisers | Each one alone: variational dropout, recurrent dropout, zoneout, weight drop, layer \
normalisation, dropout between two layers, and two penalties. The penalties are of the activations and of \
their differences. Of the other systems PyTorch has dropout between layers. It is not measured there. |
| one time step | The layer alone at batch 1, without a readout. Best and median come from runs of \
1000 steps. The 99.9th percentile comes from steps that are timed one by one, clock included. |
| ONNX Runtime | One call of `session.run`. "IO bound": inputs and outputs are bound before the call, \
which is faster. |
| chapter | 3000 steps of the tutorial with clipping, accuracy every 500 steps, from start to exit. Each \
system chooses its threads. PyTorch's files are decompressed beforehand, Unroll's are not. First round only. |
| data preloaded | The chapter, with tensors in memory instead of torchvision's transforms and DataLoader. |

Every measurement is a process of its own. One runs at a time, the systems in turn.

- **Best** is the best time of all rounds.
- **Median** is the median of the rounds' medians.
- **A ratio** is the other system's time divided by Unroll's: best by best, and median by median.
- **The share of peak** compares with the FMA peak that `unroll bench` measures in the same process, with
  the same instruction set. Only useful arithmetic counts.
- **A †** means that other programs, or other guests of the host, used more than a tenth of the machine.
  Systems that wait by spinning (PyTorch, oneDNN) then slow down without bounds, so their ratios say
  nothing.
"""

HOW_TO_REPEAT = """\
    bench/peers/run                                   # all of this page
    bench/peers/run --only step/rnn_relu --rounds 1   # some workloads, to the terminal
    bench/peers/run --json FILE                       # keeps the raw results
    bench/peers/run --from FILE                       # this page from them

It needs:

- Debian 12 and Python 3.11 or later,
- 6 GB for the other systems, in `build/peers-venv`,
- MNIST (`unroll data fetch mnist`).

On a shared machine, trust the ratios more than the times.
"""


def number(value):
    """Three significant digits."""
    return f"{value:#.3g}".rstrip(".") if value < 1000 else f"{value:.0f}"


def times(*ms):
    """Times with a unit that suits the first."""
    scales = ((1e-3, 1e6, "ns"), (0.1, 1e3, "us"), (2000, 1, "ms"), (float("inf"), 1e-3, "s"))
    factor, unit = next(scale[1:] for scale in scales if ms[0] < scale[0])
    return f"{' / '.join(number(time * factor) for time in ms)} {unit}"


def duration(figure, parts=1):
    """Best / median; of one of so many equal parts."""
    mark = f" {MARK}" if figure.disturbed else ""
    return times(figure.best / parts, figure.median / parts) + mark


def ratios(own, other):
    return f"{number(other.best / own.best)} / {number(other.median / own.median)} times"


def percent(pair):
    return " / ".join(f"{100 * value:.0f}" for value in pair) + " %"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def comparison(units, figures):
    """A row a unit, a column a system: best / median, and how many times Unroll's that is."""
    systems = [s for s in TITLES if s != "unroll_avx2" and any(s in unit.systems for unit in units)]
    header = ["", "threads", *(TITLES[s] for s in systems)]
    rows = []
    for unit in units:
        own = figures.find(unit.workload, unit.threads, "unroll")
        row = [f"`{unit.workload}`", str(unit.threads or "its own")]
        for system in systems:
            figure = figures.find(unit.workload, unit.threads, system)
            if system not in unit.systems:
                row.append("")
            elif not figure:
                row.append("not measured")
            elif system == "unroll" or not own:
                row.append(duration(figure))
            else:
                row.append(f"{duration(figure)}: **{ratios(own, figure)}**")
        rows.append(row)
    return table(header, rows)


def streams_table(units, figures):
    """Unroll's single time steps, in the terms of a real-time program."""
    rows = []
    for unit in units:
        figure = figures.find(unit.workload, unit.threads, "unroll")
        if not figure:
            continue
        of_l2 = figure.last("share_of_l2") is not None
        median, late = (100 * time / SAMPLE_MS for time in (figure.median, figure.late()))
        rows.append([f"`{unit.workload}`", duration(figure), times(figure.late()),
                     percent(figure.share_of_l2()) if of_l2 else "",
                     f"{median:.2f} / {late:.2f} %"])
    return table(["", "best / median", "99.9 % take at most", "share of L2, best / median",
                  "share of a sample at 48 kHz, median / 99.9 %"], rows)


def ragged_table(figures):
    """What a time step of one sequence costs: equal lengths first."""
    rows = []
    for workload in (f"train/lstm/{LARGE[256]}",
                     *(f"train/lstm_{lengths}/{sizes}" for lengths, sizes in RAGGED.items())):
        steps = sum(sizes_of(workload).lengths())
        row = [f"`{workload}`", str(steps)]
        for system in ("unroll", "pytorch"):
            figure = figures.find(workload, 2, system)
            row.append(duration(figure, steps) if figure else "not measured")
        rows.append(row)
    return table(["", "time steps in a batch", "one time step: Unroll, best / median", "PyTorch"],
                 rows)


def own_table(units, figures):
    """Unroll's own times, with the share of the machine's peak."""
    rows = []
    for unit in units:
        for system in ("unroll", "unroll_avx2"):
            figure = figures.find(unit.workload, unit.threads, system)
            if not figure:
                continue
            rows.append([f"`{unit.workload}`", str(unit.threads), figure.last("isa"),
                         duration(figure),
                         number(figure.last("mflop") / figure.best), percent(figure.share()),
                         f"{100 * figure.last('ceiling'):.0f} %"])
    return table(["", "threads", "instruction set", "best / median", "GFLOP/s (best)",
                  "share of peak, best / median", "limit by padding"], rows)


def programs_text(figures):
    """What the whole programs print and take, beyond their time."""
    lines = []
    for unit in UNITS:
        for system in unit.systems if unit.threads == 0 else ():
            figure = figures.find(unit.workload, 0, system)
            if figure and figure.last("accuracy") is not None:
                lines.append(f"- {unit.workload}, {TITLES[system]}: test accuracy "
                             f"{figure.last('accuracy'):.2f} %.")
    predict = figures.find("predict", 0, "unroll")
    if predict:
        peak = max(run["peak_kb"] for run in predict.runs)
        memory = f"{peak / 1024:.1f} MiB" if peak else "not measured (no /usr/bin/time)"
        size = predict.last("stripped_bytes")
        lines.append(f"- `unroll predict MODEL FILE --index 0`, a fresh process with its files in "
                     f"the page cache: peak memory {memory}; the stripped program: "
                     f"{f'{size / 1e6:.2f} MB' if size else 'not measured (no strip)'}.")
    return "\n".join(lines) + "\n"


def limit(outcome):
    return f"at {'least' if outcome.hope.least else 'most'} {outcome.hope.limit:g}"


def remarks(results, units, figures):
    """What a reader must know before the figures, one line each."""
    lines = []
    measured = [figure for unit in units for system in unit.systems
                if (figure := figures.find(unit.workload, unit.threads, system))]
    disturbed = sum(figure.disturbed for figure in measured)
    if results["rounds"] < FEW_ROUNDS:
        lines.append(f"**A trial, rounds: {results['rounds']}. These are no figures to quote.**")
    if disturbed:
        lines.append(f"The machine was not quiet. During {disturbed} of {len(measured)} "
                     f"measurements, marked {MARK}, others used more than a tenth of it. Their "
                     "ratios say nothing.")
    for unit in units:
        own = figures.find(unit.workload, unit.threads, "unroll")
        for system in unit.systems:
            figure = figures.find(unit.workload, unit.threads, system)
            if not figure:
                why = figures.why.get((unit.workload, unit.threads, system), "no reason given")
                lines.append(f"Not measured: {TITLES[system]}, {unit}: {why}.")
            elif own and system != "unroll_avx2" and figure.median < own.median:
                lines.append(f"{TITLES[system]} is faster than Unroll at {unit}: "
                             f"{ratios(own, figure)} Unroll's time.")
    lines += [f"Left out of this run: {unit}." for unit in UNITS if unit not in units]
    lines.append("This is one machine. Other CPUs, and other sizes, may show other ratios.")
    return "\n".join(textwrap.fill(line, 100, initial_indent="- ", subsequent_indent="  ",
                                   break_on_hyphens=False, break_long_words=False)
                     for line in lines) + "\n"


def hopes_table(outcomes):
    rows = []
    for outcome in outcomes:
        hope = outcome.hope
        mark = f" {MARK}" if outcome.disturbed else ""
        if outcome.why:
            rows.append([hope.text, limit(outcome), "not measured", "not measured"])
        else:
            rows.append([hope.text, limit(outcome), number(outcome.best),
                         number(outcome.median) + mark])
    return table(["what", "hoped for", "best", "median"], rows)


def peaks_of(system, figures):
    """The best peaks of all runs on one instruction set, in words; None if it was not measured."""
    runs = [run for figure in figures.all_of(system) for run in figure.runs if "isa" in run]
    if not runs:
        return None
    several = [run["peak_gflops"] for run in runs if run["threads"] > 1]
    text = (f"- Peaks with {runs[0]['isa']}: one core "
            f"{number(max(run['peak_gflops_core'] for run in runs))} GFLOP/s")
    if several:
        text += f", two {number(max(several))} GFLOP/s"
    return f"{text}; L2 {number(max(run['l2_gb_per_s'] for run in runs))} GB/s."


def machine_text(results, figures):
    machine = results["machine"]
    labels = sorted({run["label"] for figure in figures.by_key.values() for run in figure.runs
                     if run["label"]})
    lines = [f"- {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
             f"{machine['system']}; load when it began: {machine['load']:.2f}.",
             *filter(None, (peaks_of(system, figures) for system in ("unroll", "unroll_avx2"))),
             f"- {', '.join([machine['unroll'].capitalize(), *labels])}; Python "
             f"{machine['python']}; {machine['compiler']}; tree {machine['revision']}.",
             f"- {results['date']}, rounds: {results['rounds']}. A measurement takes "
             f"{results['seconds']:g} s; of a single time step, half as long."]
    return "\n".join(textwrap.fill(line, 100, subsequent_indent="  ", break_on_hyphens=False)
                     for line in lines) + "\n"


def page_of(results):
    """The page, as Markdown."""
    figures = Figures(results)
    units = [unit for unit in UNITS if unit.workload in results["units"]]
    outcomes = [outcome_of(hope, figures) for hope in HOPES if hope.workload in results["units"]]
    steps = [unit for unit in units if unit.threads]
    programs = [unit for unit in units if not unit.threads]
    parts = ["# Benchmarks\n",
             "`bench/peers/run` writes this page. Don't edit it by hand.\n",
             "Times are best / median. A ratio is the other system's time divided by Unroll's. The "
             "section\n\"What is compared\" explains the names. PyTorch's layers that Unroll computes, "
             "from Python:\n[benchmarks_python.md](benchmarks_python.md).\n",
             "## Not as good as hoped\n"]
    if missed := [outcome for outcome in outcomes if not outcome.met]:
        parts += ["Hopes that the medians did not reach:\n", hopes_table(missed)]
    parts += [remarks(results, units, figures),
             "## Machine and versions\n", machine_text(results, figures)]
    for title, prefix in (("A training step", "train/"), ("One time step", "step/")):
        chosen = [unit for unit in steps
                  if unit.workload.startswith(prefix) and len(unit.systems) > 1]
        if chosen:
            parts += [f"## {title}\n", comparison(chosen, figures)]
    streams = [unit for unit in steps if unit.workload.startswith("step/")]
    if streams:
        parts += ["## Streaming\n", streams_table(streams, figures)]
    if any(unit.workload.startswith("train/lstm_mixed") for unit in units):
        parts += ["## Sequences of unequal lengths\n", ragged_table(figures)]
    if programs:
        parts += ["## Whole programs\n", comparison(programs, figures), programs_text(figures)]
    others = [unit for unit in steps if unit not in streams]
    if others:
        parts += ["## Unroll against the machine's peak\n", own_table(others, figures)]
    if met := [outcome for outcome in outcomes if outcome.met]:
        parts += ["## As good as hoped\n", hopes_table(met)]
    parts += ["## What is compared\n", WHAT_IS_COMPARED, "## How to repeat\n", HOW_TO_REPEAT]
    return "\n".join(parts)
