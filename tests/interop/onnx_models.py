"""Models for the tests of ONNX: model files with random weights, what they export to, what runs them."""

import itertools
import json
import os
import subprocess

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import save_file

UNROLL = os.environ["UNROLL"]
TOLERANCE = 1e-5
MEAN, STD = 0.1307, 0.3081
INPUTS, HIDDEN, CLASSES = 6, 9, 4
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def recurrent(cell="rnn", **changes):
    layer = {"type": cell, "name": cell, "input_size": INPUTS, "hidden_size": HIDDEN, "num_layers": 1}
    if cell == "rnn":
        layer["nonlinearity"] = "tanh"
    if cell == "lstm":
        layer["proj_size"] = 0
    layer |= {"bidirectional": False, "bias": True, "layer_norm": False, "zoneout_h": 0}
    if cell == "lstm":
        layer["zoneout_c"] = 0
    layer |= {"learn_initial_state": False, "readout": "last"}
    assert not changes.keys() - layer.keys()
    return layer | changes


def linear(inputs, outputs, name="fc", bias=True):
    return {"type": "linear", "name": name, "in_features": inputs, "out_features": outputs, "bias": bias}


def activation(function):
    return {"type": "activation", "function": function}


def embedding(tokens, features, name="embedding"):
    return {"type": "embedding", "name": name, "num_embeddings": tokens, "embedding_dim": features}


def layer_norm(features, name="norm", eps=1e-5, affine=True, bias=True):
    return {
        "type": "layer_norm", "name": name, "features": features, "eps": eps,
        "elementwise_affine": affine, "bias": bias,
    }  # fmt: skip


def scale(mean, std):
    return {"type": "scale", "mean": mean, "std": std}


def conv(name, inputs, channels, kernel, stride=(1, 1), padding=(0, 0), bias=True):
    return {
        "type": "conv2d", "name": name, "in_channels": inputs, "out_channels": channels,
        "kernel": list(kernel), "stride": list(stride), "padding": list(padding), "bias": bias,
    }  # fmt: skip


def conv1d(name, inputs, channels, kernel, stride=1, padding=0, dilation=1, causal=False, groups=1, bias=True):
    return {
        "type": "conv1d", "name": name, "in_channels": inputs, "out_channels": channels, "kernel": kernel,
        "stride": stride, "padding": padding, "dilation": dilation, "causal": causal, "groups": groups, "bias": bias,
    }  # fmt: skip


def pool(kernel, stride, padding=(0, 0)):
    return {"type": "max_pool2d", "kernel": list(kernel), "stride": list(stride), "padding": list(padding)}


def directions(layer):
    return 2 if layer["bidirectional"] else 1


def features(layer):
    return directions(layer) * layer["hidden_size"] * (2 if layer["readout"] == "mean_last" else 1)


def with_head(layer):
    return [layer, linear(features(layer), CLASSES)]


def weights_of(layer, rng):
    def draw(*shape):
        return rng.uniform(-0.5, 0.5, shape).astype(np.float32)

    name, weights = layer.get("name"), {}
    if layer["type"] == "linear":
        weights[f"{name}.weight"] = draw(layer["out_features"], layer["in_features"])
        if layer["bias"]:
            weights[f"{name}.bias"] = draw(layer["out_features"])
    elif layer["type"] == "conv2d":
        weights[f"{name}.weight"] = draw(layer["out_channels"], layer["in_channels"], *layer["kernel"])
        if layer["bias"]:
            weights[f"{name}.bias"] = draw(layer["out_channels"])
    elif layer["type"] == "conv1d":
        weights[f"{name}.weight"] = draw(
            layer["out_channels"], layer["in_channels"] // layer["groups"], layer["kernel"]
        )
        if layer["bias"]:
            weights[f"{name}.bias"] = draw(layer["out_channels"])
    elif layer["type"] == "embedding":
        weights[f"{name}.weight"] = draw(layer["num_embeddings"], layer["embedding_dim"])
    elif layer["type"] == "layer_norm" and layer["elementwise_affine"]:
        weights[f"{name}.weight"] = draw(layer["features"])
        if layer["bias"]:
            weights[f"{name}.bias"] = draw(layer["features"])
    elif layer["type"] in GATES:
        hidden, rows = layer["hidden_size"], GATES[layer["type"]] * layer["hidden_size"]
        state = layer.get("proj_size") or hidden
        for l, end in itertools.product(range(layer["num_layers"]), ["", "_reverse"][: directions(layer)]):
            width = layer["input_size"] if l == 0 else directions(layer) * state
            weights[f"{name}.weight_ih_l{l}{end}"] = draw(rows, width)
            weights[f"{name}.weight_hh_l{l}{end}"] = draw(rows, state)
            if layer["bias"]:
                weights[f"{name}.bias_ih_l{l}{end}"] = draw(rows)
                weights[f"{name}.bias_hh_l{l}{end}"] = draw(rows)
            if state != hidden:
                weights[f"{name}.weight_hr_l{l}{end}"] = draw(state, hidden)
            if layer["layer_norm"]:
                sizes = {"ih": rows, "hh": rows} | ({"c": hidden} if layer["type"] == "lstm" else {})
                for part, size in sizes.items():
                    for kind in ("weight", "bias"):
                        weights[f"{name}.layer_norm_{part}_l{l}{end}.{kind}"] = draw(size)
        if layer["learn_initial_state"]:
            states = layer["num_layers"] * directions(layer)
            weights[f"{name}.h_0"] = draw(states, 1, state)
            if layer["type"] == "lstm":
                weights[f"{name}.c_0"] = draw(states, 1, hidden)
    return weights


class Model:
    """A model file with random weights, what it exports to, and what Unroll itself says.

    `scores` are printed by `unroll predict` as they are; `logits` as probabilities."""

    def __init__(self, folder, layers, output="scores", dtype=np.float32, **input_changes):
        self.folder, self.layers = folder, layers
        input_form = {"form": "rows", "height": 0, "width": INPUTS, "permutation": None}
        input_form |= {"mean": MEAN, "std": STD} | input_changes
        if "kind" in input_changes:
            input_form = input_changes  # as formats from 4 on have it
        version = 5 if "kind" in input_form else 3
        description = {"version": version, "input": input_form, "layers": layers, "output": output}
        description |= {"dataset": "", "classes": []}
        rng = np.random.default_rng(5)
        self.weights = {}
        for layer in layers:
            self.weights |= {name: w.astype(dtype) for name, w in weights_of(layer, rng).items()}
        self.path = folder / "model.safetensors"
        save_file(self.weights, self.path, metadata={"unroll": json.dumps(description)})

    def run(self, *arguments, stdin="", check=True):
        return subprocess.run(
            [UNROLL, *map(str, arguments)], input=stdin, capture_output=True, text=True, check=check
        )

    def export(self, *flags):
        path = self.folder / "model.onnx"
        self.run("export", self.path, "--format", "onnx", "-o", path, *flags)
        onnx.checker.check_model(str(path), full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def refuse(self, *flags):
        path = self.folder / "refused.onnx"
        result = self.run("export", self.path, "--format", "onnx", "-o", path, *flags, check=False)
        assert result.returncode == 2 and not path.exists() and result.stdout == "", result
        return result.stderr

    def predict(self, pixels, rows=False):
        """Of one image (rows, columns): (C), or with rows (T, C)."""
        text = "".join(" ".join(map(str, map(int, row))) + "\n" for row in pixels)
        flags = ["--json"] + (["--rows"] if rows else [])
        lines = self.run("predict", self.path, "-", *flags, stdin=text).stdout.splitlines()
        values = [next(v for k, v in json.loads(line).items() if k in ("scores", "probabilities")) for line in lines]
        return np.array(values if rows else values[0])

    def predict_array(self, array):
        """Of numbers (N, ...) or tokens (N, T): what `unroll predict` gives for a .npy."""
        path, out = self.folder / "in.npy", self.folder / "out.npy"
        np.save(path, array.astype(np.float32))
        self.run("predict", self.path, path, "--out", out)
        return np.load(out)

    def predict_all(self, images):
        return np.stack([self.predict(image) for image in images])


def pixels(*shape, seed=1):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.float32)


def outputs(session, feeds):
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))


def close(got, expected, tolerance=TOLERANCE):
    assert got.shape == expected.shape, (got.shape, expected.shape)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


def torch_layer(layer, weights):
    kinds = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    more = {"nonlinearity": layer["nonlinearity"]} if layer["type"] == "rnn" else {}
    module = kinds[layer["type"]](
        layer["input_size"],
        layer["hidden_size"],
        layer["num_layers"],
        batch_first=True,
        bidirectional=layer["bidirectional"],
        **more,
    )
    own = {k.split(".", 1)[1]: torch.tensor(v) for k, v in weights.items() if k.startswith(layer["name"] + ".")}
    module.load_state_dict(own, strict=True)
    return module


# ---- layers -------------------------------------------------------------------------------------

CELLS = {
    "relu": recurrent("rnn", nonlinearity="relu"),
    "tanh": recurrent("rnn"),
    "lstm": recurrent("lstm"),
    "gru": recurrent("gru"),
}

MIXED = [
    linear(INPUTS, 8, "embedding"),
    activation("relu"),
    recurrent("gru", name="lower", input_size=8, hidden_size=5, readout="every_step"),
    linear(5, 7, "between", bias=False),
    activation("sigmoid"),
    recurrent("lstm", name="upper", input_size=7, num_layers=2, readout="mean_last"),
    linear(2 * HIDDEN, 8, "hidden"),
    activation("tanh"),
    linear(8, CLASSES),
]

# A residual connection around a recurrent layer and a linear one, another around a head's two layers.
RESIDUAL = [
    scale([0.5], [2.0]),
    recurrent("gru", readout="every_step", input_size=INPUTS, hidden_size=8),
    linear(8, INPUTS, "back"),
    {"type": "residual", "over": 2},
    scale([0.1, 0.2, 0.3, -0.1, 0, 1], [1, 2, 0.5, 1, 4, 1]),
    recurrent("lstm", readout="mean"),
    linear(HIDDEN, HIDDEN, "head"),
    activation("tanh"),
    {"type": "residual", "over": 2},
    linear(HIDDEN, CLASSES),
    linear(CLASSES, CLASSES, "last"),
    {"type": "residual", "over": 1},
]

TOKENS = 7
TEXT = {"kind": "tokens", "tokens": TOKENS, "steps": 0, "vocabulary": []}


def text_layers(readout):
    """Tokens through embeddings, normalisation and residual connections."""
    upper = recurrent("gru", input_size=6, readout=readout)
    wide = features(upper)
    return [
        embedding(TOKENS, 6),
        layer_norm(6, "in", eps=1e-3),
        recurrent("lstm", input_size=6, hidden_size=6, readout="every_step"),
        {"type": "residual", "over": 2},
        layer_norm(6, "bare", affine=False),
        upper,
        layer_norm(wide, "no_bias", bias=False),
        linear(wide, CLASSES),
    ]


SERIES = {
    "kind": "series", "features": 5, "steps": 0, "names": [], "mean": [0, 1, 2, 3, 4], "std": [1, 2, 1, 2, 1],
}  # fmt: skip


def series_layers(readout, **windows):
    """From numbers in their own units through a convolution to answers in theirs."""
    layer = recurrent("gru", input_size=6, readout=readout)
    return [
        activation("symlog"),
        conv1d("conv", 5, 6, 5, **windows),
        activation("relu"),
        layer,
        linear(features(layer), CLASSES),
        scale([-2, 0.5, 3, 0], [0.5, 4, 0.25, 1]),
    ]


FLAT = {"form": "flat", "height": 9, "width": 8}
IMAGE = {"form": "image", "height": 9, "width": 8}
