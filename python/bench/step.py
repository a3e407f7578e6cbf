"""Print how long single steps at batch 1 take, in microseconds: the best and the median of rounds."""

import statistics
import time
from collections.abc import Callable

import numpy as np

import unroll

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def model_of(cell: str, inputs: int, hidden: int) -> unroll.Model:
    """Make a recurrent layer with random weights."""
    own: dict[str, dict[str, object]] = {
        "rnn": {"nonlinearity": "tanh"},
        "gru": {},
        "lstm": {"proj_size": 0, "zoneout_c": 0.0},
    }
    layer: dict[str, object] = {
        "type": cell,
        "name": cell,
        "input_size": inputs,
        "hidden_size": hidden,
        "num_layers": 1,
        "bidirectional": False,
        "bias": True,
        "layer_norm": False,
        "zoneout_h": 0.0,
        "learn_initial_state": False,
        "readout": "last",
    }
    description = {
        "version": 4,
        "input": {
            "kind": "series",
            "features": inputs,
            "steps": 0,
            "names": [],
            "mean": [],
            "std": [],
        },
        "layers": [layer | own[cell]],
        "output": "values",
        "dataset": "",
        "classes": [],
    }
    rng, rows = np.random.default_rng(0), GATES[cell] * hidden
    shapes = {
        "weight_ih_l0": (rows, inputs),
        "weight_hh_l0": (rows, hidden),
        "bias_ih_l0": (rows,),
        "bias_hh_l0": (rows,),
    }
    weights = {
        f"{cell}.{name}": rng.normal(0, 0.1, shape).astype("float32") for name, shape in shapes.items()
    }
    return unroll.Model.from_weights(description, weights)


def microseconds(call: Callable[[], object], calls: int = 5000, rounds: int = 21) -> tuple[float, float]:
    """Return the best and the median time of a call."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - start) / calls * 1e6)
    return min(times), statistics.median(times)


def main() -> None:
    """Print a line for each cell and size."""
    print("I 32, batch 1, one thread; best / median, us")
    x = np.random.default_rng(1).normal(size=(1, 32)).astype("float32")
    for cell in GATES:
        for hidden in (64, 128, 256):
            stream = model_of(cell, 32, hidden).stream()
            out = np.empty((1, hidden), np.float32)
            into = microseconds(lambda stream=stream, out=out: stream.step(x, out=out))  # type: ignore[misc]
            new = microseconds(lambda stream=stream: stream.step(x))  # type: ignore[misc]
            print(
                f"{cell.upper():4} {hidden:3}: out= {into[0]:.2f} / {into[1]:.2f}, "
                f"new array {new[0]:.2f} / {new[1]:.2f}"
            )


if __name__ == "__main__":
    main()
