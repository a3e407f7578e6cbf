"""Measure unroll.torch against torch.nn: training, long and ragged sequences, episodes, inference.

Prints a table in Markdown: best / median in milliseconds, and how many times as fast.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch_alternate import Times, alternate, machine

import unroll.torch


class Pair(NamedTuple):
    """What PyTorch does and what Unroll does, and what we hope for."""

    torch: Callable[[], Any]
    unroll: Callable[[], Any]
    goal: float | None = None


def layers(kind: str, *sizes: int, **options: Any) -> tuple[Any, Any]:
    """Make both layers with the same weights."""
    torch.manual_seed(0)
    theirs = getattr(nn, kind)(*sizes, **options)
    ours = getattr(unroll.torch, kind)(*sizes, **options)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def training(kind: str, t: int, i: int, h: int, n: int, goal: float | None, **options: Any) -> Pair:
    """Make a step of training: the layer, a readout, cross-entropy and SGD."""

    def make(layer: Any) -> Callable[[], Any]:
        dtype = layer.weight_ih_l0.dtype
        readout = nn.Linear(h * (2 if layer.bidirectional else 1), 10, dtype=dtype)
        optimizer = torch.optim.SGD([*layer.parameters(), *readout.parameters()], lr=0.01)
        x, y = torch.rand(n, t, i, dtype=dtype), torch.randint(0, 10, (n,))

        def step() -> Any:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(readout(layer(x)[0][:, -1]), y)
            loss.backward()
            optimizer.step()
            return loss

        return step

    theirs, ours = layers(kind, i, h, batch_first=True, **options)
    return Pair(make(theirs), make(ours), goal)


def packed(length: int, goal: float) -> Pair:
    """Make pytorch#149194: an LSTM on a PackedSequence, forward and backward."""
    x, lengths = torch.randn(32, length, 16), torch.randint(1, length + 1, (32,))
    lengths[0] = length

    def make(layer: Any) -> Callable[[], Any]:
        def step() -> Any:
            layer.zero_grad()
            given = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            layer(given)[0].data.sum().backward()

        return step

    theirs, ours = layers("LSTM", 16, 64, batch_first=True)
    return Pair(make(theirs), make(ours), goal)


def loop(layer: Any, x: Any, hx: Any, resets: Any) -> Any:
    """Run step by step, as CleanRL and sb3-contrib do."""
    outputs = []
    for step, done in zip(x, resets, strict=True):
        keep = (1 - done).view(1, -1, 1)
        hx = tuple(keep * s for s in hx) if isinstance(hx, tuple) else keep * hx
        out, hx = layer(step.unsqueeze(0), hx)
        outputs.append(out)
    return torch.cat(outputs), hx


def episodes(kind: str, t: int, i: int, h: int, n: int, goal: float) -> Pair:
    """Make training on chunks in which 2 % of the steps begin an episode."""
    theirs, ours = layers(kind, i, h)
    x, state = torch.randn(t, n, i, requires_grad=True), torch.randn(1, n, h)
    hx = (state, torch.randn(1, n, h)) if kind == "LSTM" else state
    resets = (torch.rand(t, n) < 0.02).float()

    def make(function: Callable[..., Any], layer: Any) -> Callable[[], Any]:
        def step() -> Any:
            layer.zero_grad()
            function(layer, x, hx, resets)[0].square().mean().backward()

        return step

    return Pair(make(loop, theirs), make(unroll.torch.sequences, ours), goal)


def inference(kind: str, i: int, h: int, n: int, t: int, goal: float | None, **options: Any) -> Pair:
    """Make a forward pass without gradients."""
    x = torch.rand(t, n, i)

    def make(layer: Any) -> Callable[[], Any]:
        def run() -> Any:
            with torch.no_grad():
                return layer(x)

        return run

    theirs, ours = layers(kind, i, h, **options)
    return Pair(make(theirs), make(ours), goal)


def steps(kind: str, h: int, goal: float | None) -> Pair:
    """Make 100 single steps at batch 1 that keep the state."""
    theirs, ours = layers(kind, 32, h)
    x = torch.rand(1, 1, 32)
    row = x[0]
    stepper = unroll.torch.Stepper(ours)

    def run_theirs() -> Any:
        state = None
        with torch.no_grad():
            for _ in range(100):
                _, state = theirs(x, state)

    def run_ours() -> Any:
        for _ in range(100):
            stepper(row)

    return Pair(run_theirs, run_ours, goal)


PAIRS: dict[str, Callable[[], Pair]] = {
    "LSTM, training, T 28, I 28, H 100, N 100": lambda: training("LSTM", 28, 28, 100, 100, 1.35),
    "LSTM, training, T 64, I 128, H 256, N 64": lambda: training("LSTM", 64, 128, 256, 64, 1.4),
    "LSTM, 2 layers both ways, training, T 64, I 64, H 128, N 32": lambda: training(
        "LSTM", 64, 64, 128, 32, None, num_layers=2, bidirectional=True
    ),
    "LSTM, 2 layers, no gradients, T 2000, I 256, H 256, N 8 (pytorch#81634)": lambda: inference(
        "LSTM", 256, 256, 8, 2000, 1.2, num_layers=2
    ),
    "GRU, training, T 64, I 128, H 256, N 64": lambda: training("GRU", 64, 128, 256, 64, 1.9),
    "GRU, training, T 28, I 28, H 100, N 100": lambda: training("GRU", 28, 28, 100, 100, 3.5),
    "RNN, training, T 28, I 28, H 100, N 100": lambda: training(
        "RNN", 28, 28, 100, 100, 3.5, nonlinearity="relu"
    ),
    "LSTM, no gradients, T 15, I 250, H 200, N 1 (pytorch#34569)": lambda: inference(
        "LSTM", 250, 200, 1, 15, None
    ),
    "GRU, no gradients, T 32, I 512, H 256, N 1 (sru#96)": lambda: inference("GRU", 512, 256, 1, 32, None),
    "LSTM both ways, no gradients, T 63, I 24, H 32, N 1 (oneDNN#837)": lambda: inference(
        "LSTM", 24, 32, 1, 63, None, bidirectional=True
    ),
    "LSTM, 3 layers, float64, training, T 60, I 4, H 64, N 32 (pytorch#65597)": lambda: training(
        "LSTM", 60, 4, 64, 32, None, num_layers=3, dtype=torch.float64
    ),
    "100 steps at batch 1 by a Stepper, LSTM, I 32, H 128": lambda: steps("LSTM", 128, None),
    "100 steps at batch 1 by a Stepper, GRU, I 32, H 64": lambda: steps("GRU", 64, None),
    "1000 steps at batch 1 in one call, GRU, I 32, H 64": lambda: inference("GRU", 32, 64, 1, 1000, 10),
    "GRU, training, T 128, I 8, H 64, N 1": lambda: training("GRU", 128, 8, 64, 1, 10),
    "LSTM with resets, training, T 128, I 64, H 128, N 8, against the loop": lambda: episodes(
        "LSTM", 128, 64, 128, 8, 10
    ),
    "LSTM packed, training, T 1000, I 16, H 64, N 32 (pytorch#149194)": lambda: packed(1000, 60),
}


class Row(NamedTuple):
    """What was measured."""

    name: str
    torch: Times
    unroll: Times
    goal: float | None

    @property
    def ratios(self) -> tuple[float, float]:
        """PyTorch's time divided by Unroll's: best, median."""
        return self.torch.best / self.unroll.best, self.torch.median / self.unroll.median

    def __str__(self) -> str:
        times = [f"{t.best:.3g} / {t.median:.3g}" for t in (self.torch, self.unroll)]
        ratios = f"{self.ratios[0]:.2f} / {self.ratios[1]:.2f}"
        return f"| {self.name} | {' | '.join(times)} | {ratios} | {self.goal or ''} |"


HEAD = "| ms, best / median | torch.nn | unroll.torch | times as fast | hoped for |\n|---|---|---|---|---|"
PAGE = """# Benchmarks of unroll.torch

`python/bench/torch_layers.py --page` writes this page. Don't edit it by hand.

A program in PyTorch with its own layers, beside the same program with Unroll's. Both take turns in one
process. Readout, loss and optimizer are PyTorch's in both. The least gain comes first: a large LSTM on
dense batches gains little, because PyTorch leaves it to oneDNN.

Where the load is above the number of threads, other programs ran too. Two threads that wait for each other
then lose more than one does, in PyTorch and in Unroll, so that medians say little.

"""


def measure(arguments: argparse.Namespace, threads: int) -> Iterator[Row]:
    """Measure what `--only` selects."""
    torch.set_num_threads(threads)
    for name, make in PAIRS.items():
        if arguments.only in name:
            pair = make()
            times = alternate({"torch": pair.torch, "unroll": pair.unroll}, arguments.seconds)
            yield Row(name, times["torch"], times["unroll"], pair.goal)


def main() -> None:
    """Measure with each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[2])
    parser.add_argument("--seconds", type=float, default=2, help="of each row")
    parser.add_argument("--only", default="", help="rows that contain this text")
    parser.add_argument("--page", help="a file for the tables, as a page of the documentation")
    arguments = parser.parse_args()
    page = PAGE
    for threads in arguments.threads:
        title = f"{threads} thread{'s' if threads > 1 else ''}; {machine()}"
        print(f"{title}\n\n{HEAD}")
        rows = []
        for row in measure(arguments, threads):
            print(row, flush=True)
            rows.append(row)
        rows.sort(key=lambda row: row.ratios[1])
        missed = [row.name for row in rows if row.goal and row.ratios[1] < row.goal]
        page += f"## {title}\n\n{HEAD}\n" + "\n".join(map(str, rows)) + "\n\n"
        page += (
            "Medians that are not as good as hoped:\n\n"
            + ("".join(f"- {name}\n" for name in missed) or "- none\n")
            + "\n"
        )
    if arguments.page:
        Path(arguments.page).write_text(page.rstrip() + "\n")


if __name__ == "__main__":
    main()
