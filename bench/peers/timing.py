"""What the peers' Python programs share: their command line, the clock, and the line they print."""
import argparse
import json
import math
import statistics
import time

import workloads


def read_arguments(description, **flags):
    """--workload, --threads, --seconds and `flags`; `sizes` is what the workload's name says."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", required=True, help="a name of `unroll bench --list`")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2, help="to measure for; 0: three calls")
    for flag, what in flags.items():
        parser.add_argument(f"--{flag}", action="store_true", help=what)
    arguments = parser.parse_args()
    try:
        arguments.sizes = workloads.sizes_of(arguments.workload)
    except ValueError as error:
        parser.error(str(error))
    return arguments


def measure(call, seconds):
    """Milliseconds of each call, after a warm-up of a fifth of `seconds`.

    A call shorter than half a millisecond is timed with others, so that the clock does not count.
    What a call returns, if anything, is its loss: numbers that are no longer finite take other
    times, so they are refused.
    """
    def time_of(count):
        start = time.perf_counter()
        for _ in range(count):
            call()
        return (time.perf_counter() - start) * 1e3 / count

    until = time.perf_counter() + 0.2 * seconds
    warm = [time_of(1) for _ in range(2)]
    while time.perf_counter() < until:
        warm.append(time_of(1))
    count = max(1, round(0.5 / min(warm)))
    times = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < until:
        times.append(time_of(count))
    loss = call()
    if loss is not None and not math.isfinite(loss):
        raise SystemExit(f"[measure] the loss became {loss}: what was timed is not training")
    return times


def report(system, arguments, times):
    """Prints the program's one line of JSON."""
    print(json.dumps({
        "system": system, "workload": arguments.workload, "threads": arguments.threads,
        "best_ms": min(times), "median_ms": statistics.median(times), "runs": len(times)}))
