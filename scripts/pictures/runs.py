"""Reads runs of the program: their metrics, weights, and states on an image of the test set."""

import ast
import array
import glob
import gzip
import json
import os
import subprocess
import zipfile

PROGRAM = os.environ["UNROLL"]
HERE = os.path.dirname(os.path.abspath(__file__))


def program(*words):
    return subprocess.run([PROGRAM, *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def metrics(run):
    """The lines of metrics.jsonl: steps, evaluations and a divergence."""
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def losses(run):
    return [(line["step"], line["loss"]) for line in metrics(run) if line["event"] == "step"]


def evaluations(run):
    return [line for line in metrics(run) if line["event"] == "eval"]


def digit(index):
    """28 rows of 28 pixels of a test image of MNIST, and its class."""
    place = json.loads(program("data", "info", "mnist", "--json"))["place"]

    def read(name, at, size):
        (path,) = glob.glob(os.path.join(place, name + "*"))
        opened = gzip.open(path) if path.endswith(".gz") else open(path, "rb")
        with opened as file:
            return file.read(at + size)[at:]

    pixels = list(read("t10k-images-idx3-ubyte", 16 + 784 * index, 784))
    return [pixels[r * 28 : r * 28 + 28] for r in range(28)], read("t10k-labels-idx1-ubyte", 8 + index, 1)[0]


def weights(run):
    """Name to rows, for matrices."""
    path = os.path.join(run, "weights.npz")
    program("export", run, "--format", "npz", "-o", path)
    matrices = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith(".npy"):
                continue  # the description
            data = archive.read(name)
            start = 10 + int.from_bytes(data[8:10], "little")
            header = ast.literal_eval(data[10:start].decode())
            values = array.array({"<f4": "f", "<f8": "d"}[header["descr"]])
            values.frombytes(data[start:])
            if len(header["shape"]) == 2:
                width = header["shape"][1]
                rows = [list(values[r : r + width]) for r in range(0, len(values), width)]
                matrices[name.removesuffix(".npy")] = rows
    return matrices


def first_series(run):
    """The first sample of the test part that a run kept: its steps, and its target."""
    with open(os.path.join(run, "samples.safetensors"), "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])

    def floats(name):
        first, last = (8 + size + at for at in header[name]["data_offsets"])
        values = array.array("f")
        values.frombytes(data[first:last])
        return values

    _, steps, features = header["inputs"]["shape"]
    inputs = floats("inputs")
    return [list(inputs[t * features : (t + 1) * features]) for t in range(steps)], floats("targets")[0]


def trace(run, rows):
    """States, gates and probabilities after every row of an image, computed by the exported JavaScript."""
    path = os.path.join(run, "network.mjs")
    program("export", run, "--format", "js", "-o", path)
    pixels = json.dumps([pixel for row in rows for pixel in row])
    words = ["node", os.path.join(HERE, "trace.mjs"), path]
    return json.loads(subprocess.run(words, input=pixels, check=True, stdout=subprocess.PIPE, text=True).stdout)
