"""Times of functions that take turns in one process, so that a busy moment meets all of them."""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch


class Times(NamedTuple):
    """Milliseconds."""

    best: float
    median: float


def alternate(
    functions: dict[str, Callable[[], object]], seconds: float, rounds: int = 5
) -> dict[str, Times]:
    """Call the functions in turns, at least `rounds` times."""
    for function in functions.values():
        function()
        function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(next(iter(times.values()))) < rounds:
        for name, function in functions.items():
            begin = time.perf_counter()
            function()
            times[name].append(1e3 * (time.perf_counter() - begin))
    return {name: Times(min(all), statistics.median(all)) for name, all in times.items()}


def machine() -> str:
    """Name the CPU, the versions and how busy the machine is."""
    lines = [line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines()]
    about = {name.strip(): value.strip() for name, _, value in lines}
    name = f"{about.get('model name', 'CPU')}, family {about.get('cpu family')}, model {about.get('model')}"
    return f"{name}; {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}; PyTorch {torch.__version__}"
