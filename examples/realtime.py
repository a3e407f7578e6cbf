"""A recurrent network in a loop with a deadline, such as a sensor that is read a thousand times a second.

usage: realtime.py [MODEL]

MODEL is the folder of a run, or a model.safetensors. Without it an untrained GRU reads one number at a
time and answers with one.
"""

import gc
import sys
import time

import numpy as np

import unroll


def made_up_model() -> unroll.Model:
    """Make an untrained GRU of 32 units with a linear layer."""
    gru = {
        "type": "gru",
        "name": "gru",
        "input_size": 1,
        "hidden_size": 32,
        "num_layers": 1,
        "bidirectional": False,
        "bias": True,
        "layer_norm": False,
        "zoneout_h": 0.0,
        "learn_initial_state": False,
        "readout": "last",
    }
    fc = {"type": "linear", "name": "fc", "in_features": 32, "out_features": 1, "bias": True}
    description = {
        "version": 4,
        "input": {"kind": "series", "features": 1, "steps": 0, "names": [], "mean": [], "std": []},
        "layers": [gru, fc],
        "output": "values",
        "dataset": "",
        "classes": [],
    }
    shapes = {
        "gru.weight_ih_l0": (96, 1),
        "gru.weight_hh_l0": (96, 32),
        "gru.bias_ih_l0": (96,),
        "gru.bias_hh_l0": (96,),
        "fc.weight": (1, 32),
        "fc.bias": (1,),
    }
    rng = np.random.default_rng(0)
    weights = {name: rng.uniform(-0.2, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}
    return unroll.Model.from_weights(description, weights)


def main() -> None:
    """Take a step every millisecond, and print how long steps took."""
    # STEP 1: LOAD THE MODEL AND MAKE ALL ARRAYS, while waiting does no harm
    model = unroll.load(sys.argv[1]) if len(sys.argv) > 1 else made_up_model()
    stream = model.stream()
    x = np.zeros((1, model.inputs), model.dtype)
    out = np.empty((1, model.outputs), model.dtype)

    # STEP 2: KEEP THE GARBAGE COLLECTOR OUT of the loop
    gc.collect()
    gc.disable()

    # STEP 3: STEP AFTER STEP, in real time
    period, times = 0.001, []
    due = time.perf_counter()
    for t in range(1000):
        x[:] = np.sin(0.02 * t)  # a sensor would be read here
        start = time.perf_counter()
        stream.step(x, out=out)
        times.append(time.perf_counter() - start)
        due += period
        time.sleep(max(0.0, due - time.perf_counter()))

    # STEP 4: TELL
    times.sort()
    median, late = np.quantile(times, [0.5, 0.999]) * 1e6
    print(
        f"1000 steps: median {median:.1f} us, 99.9th percentile {late:.1f} us, worst {times[-1] * 1e6:.1f} us"
    )
    print(f"last answer: {out[0, 0]:.6f}")


if __name__ == "__main__":
    main()
