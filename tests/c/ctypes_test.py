"""The C interface from Python, with nothing but ctypes: a GRU against its equations in plain Python.

ctypes_test.py LIBRARY, a shared library with unroll/c.h in it.
"""

import ctypes
import json
import math
import random
import struct
import sys

I, H, C, T = 3, 4, 2, 6
generator = random.Random(5)


def single(value):
    """The nearest 32-bit number."""
    return struct.unpack("f", struct.pack("f", value))[0]


def matrix(rows, columns):
    return [[single(generator.uniform(-1, 1)) for _ in range(columns)] for _ in range(rows)]


weights = {
    "gru.weight_ih_l0": matrix(3 * H, I),
    "gru.weight_hh_l0": matrix(3 * H, H),
    "gru.bias_ih_l0": matrix(1, 3 * H)[0],
    "gru.bias_hh_l0": matrix(1, 3 * H)[0],
    "fc.weight": matrix(C, H),
    "fc.bias": matrix(1, C)[0],
}


def model_file():
    description = {
        "version": 2,
        "input": {"form": "rows", "height": 0, "width": I, "permutation": None, "mean": 0.0,
                  "std": 1.0},
        "layers": [
            {"type": "gru", "name": "gru", "input_size": I, "hidden_size": H, "num_layers": 1,
             "bidirectional": False, "bias": True, "layer_norm": False, "zoneout_h": 0.0,
             "learn_initial_state": False, "readout": "every_step"},
            {"type": "linear", "name": "fc", "in_features": H, "out_features": C, "bias": True},
        ],
        "output": "values", "dataset": "", "classes": [],
    }
    header, data = {"__metadata__": {"unroll": json.dumps(description)}}, b""
    for name, values in weights.items():
        shape = [len(values)] + ([len(values[0])] if isinstance(values[0], list) else [])
        flat = [v for row in values for v in row] if len(shape) == 2 else values
        begin = len(data)
        data += struct.pack(f"<{len(flat)}f", *flat)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def dot(row, values):
    return sum(w * v for w, v in zip(row, values))


def reference(sequence):
    """https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html"""
    def sigmoid(v):
        return 1 / (1 + math.exp(-v))

    h, results = [0.0] * H, []
    for x in sequence:
        a = [dot(w, x) + b for w, b in zip(weights["gru.weight_ih_l0"], weights["gru.bias_ih_l0"])]
        s = [dot(w, h) + b for w, b in zip(weights["gru.weight_hh_l0"], weights["gru.bias_hh_l0"])]
        r = [sigmoid(a[i] + s[i]) for i in range(H)]
        z = [sigmoid(a[H + i] + s[H + i]) for i in range(H)]
        n = [math.tanh(a[2 * H + i] + r[i] * s[2 * H + i]) for i in range(H)]
        h = [(1 - z[i]) * n[i] + z[i] * h[i] for i in range(H)]
        results.append([dot(w, h) + b for w, b in zip(weights["fc.weight"], weights["fc.bias"])])
    return results


def open_library(path):
    unroll = ctypes.CDLL(path)
    pointer, size, floats = ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_float)
    for name, result, arguments in [
        ("last_error", ctypes.c_char_p, []),
        ("version", ctypes.c_char_p, []),
        ("set_num_threads", ctypes.c_int, [ctypes.c_int]),
        ("model_load", pointer, [ctypes.c_char_p]),
        ("model_load_memory", pointer, [ctypes.c_char_p, size]),
        ("model_free", None, [pointer]),
        ("model_inputs", size, [pointer]),
        ("model_outputs", size, [pointer]),
        ("model_gives_sequences", ctypes.c_int, [pointer]),
        ("model_run", ctypes.c_int,
         [pointer, floats, size, size, size, ctypes.POINTER(size), floats, size]),
        ("stream_new", pointer, [pointer, size]),
        ("stream_step", ctypes.c_int, [pointer, floats, size, floats, size]),
        ("stream_free", None, [pointer]),
    ]:
        function = getattr(unroll, "unroll_" + name)
        function.restype, function.argtypes = result, arguments
    return unroll


def check_close(given, expected):
    assert len(given) == len(expected)
    for a, b in zip(given, expected):
        assert abs(a - b) < 1e-6, (list(given), expected)


def main():
    unroll = open_library(sys.argv[1])
    file = model_file()
    model = unroll.unroll_model_load_memory(file, len(file))
    assert model, unroll.unroll_last_error()
    assert unroll.unroll_model_inputs(model) == I
    assert unroll.unroll_model_outputs(model) == C
    assert unroll.unroll_model_gives_sequences(model) == 1

    sequence = matrix(T, I)
    expected = reference(sequence)
    flat = (ctypes.c_float * (T * I))(*[v for row in sequence for v in row])
    out = (ctypes.c_float * (T * C))()
    assert unroll.unroll_model_run(model, flat, T * I, 1, T, None, out, T * C) == 0
    check_close(out, [v for row in expected for v in row])

    stream = unroll.unroll_stream_new(model, 1)
    assert stream, unroll.unroll_last_error()
    for x, y in zip(sequence, expected):
        step = (ctypes.c_float * C)()
        assert unroll.unroll_stream_step(stream, (ctypes.c_float * I)(*x), I, step, C) == 0
        check_close(step, y)
    unroll.unroll_stream_free(stream)

    assert unroll.unroll_model_run(model, flat, T * I, 2, T, None, out, T * C) == 2
    assert b"18 inputs" in unroll.unroll_last_error(), unroll.unroll_last_error()
    unroll.unroll_model_free(model)
    assert not unroll.unroll_model_load(b"/no/such/file")
    assert b"/no/such/file" in unroll.unroll_last_error()
    print("unroll", unroll.unroll_version().decode(), "from Python", sys.version.split()[0])


if __name__ == "__main__":
    main()
