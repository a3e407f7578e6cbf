"""Descriptions of models, and random weights for them."""

import numpy as np

import unroll

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def series(features, **more):
    return {"kind": "series", "features": features, "steps": 0, "names": [], "mean": [], "std": [], **more}


def vector(features):
    return {"kind": "vector", "features": features, "names": [], "mean": [], "std": []}


def tokens(count):
    return {"kind": "tokens", "tokens": count, "steps": 0, "vocabulary": []}


def images(form, height, width, permutation=None, mean=0.25, std=0.5):
    return {
        "kind": "images",
        "form": form,
        "height": height,
        "width": width,
        "permutation": permutation,
        "mean": mean,
        "std": std,
    }


def recurrent(cell, inputs, hidden, readout="last", **more):
    layer = {
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
        "readout": readout,
    }
    layer |= {"rnn": {"nonlinearity": "tanh"}, "lstm": {"proj_size": 0, "zoneout_c": 0.0}}.get(cell, {})
    return layer | more


def linear(inputs, outputs, name="fc"):
    return {"type": "linear", "name": name, "in_features": inputs, "out_features": outputs, "bias": True}


def conv1d(inputs, outputs, **more):
    return {
        "type": "conv1d",
        "name": "conv",
        "in_channels": inputs,
        "out_channels": outputs,
        "kernel": 3,
        "stride": 1,
        "padding": 0,
        "dilation": 1,
        "causal": True,
        "groups": 1,
        "bias": True,
    } | more


def conv2d(inputs, outputs):
    return {
        "type": "conv2d",
        "name": "conv",
        "in_channels": inputs,
        "out_channels": outputs,
        "kernel": [3, 3],
        "stride": [1, 1],
        "padding": [1, 1],
        "bias": True,
    }


def embedding(count, width):
    return {"type": "embedding", "name": "embedding", "num_embeddings": count, "embedding_dim": width}


def shapes(layer):
    """Return the weights of a layer, by their names in PyTorch."""
    name, kind = layer.get("name"), layer["type"]
    if kind == "linear":
        found = {"weight": (layer["out_features"], layer["in_features"]), "bias": (layer["out_features"],)}
    elif kind == "embedding":
        found = {"weight": (layer["num_embeddings"], layer["embedding_dim"])}
    elif kind == "conv1d":
        inputs = layer["in_channels"] // layer["groups"]
        found = {"weight": (layer["out_channels"], inputs, layer["kernel"]), "bias": (layer["out_channels"],)}
    elif kind == "conv2d":
        found = {
            "weight": (layer["out_channels"], layer["in_channels"], *layer["kernel"]),
            "bias": (layer["out_channels"],),
        }
    elif kind in GATES:
        found = {}
        rows, hidden = GATES[kind] * layer["hidden_size"], layer["hidden_size"]
        ways = 2 if layer["bidirectional"] else 1
        for number in range(layer["num_layers"]):
            inputs = layer["input_size"] if number == 0 else ways * hidden
            for end in ("", "_reverse")[:ways]:
                found[f"weight_ih_l{number}{end}"] = (rows, inputs)
                found[f"weight_hh_l{number}{end}"] = (rows, hidden)
                found[f"bias_ih_l{number}{end}"] = found[f"bias_hh_l{number}{end}"] = (rows,)
    else:
        found = {}
    return {f"{name}.{weight}": shape for weight, shape in found.items()}


def make(input, *layers, output="logits", dtype="float32", classes=(), seed=0):
    """Make a model with random weights."""
    rng = np.random.default_rng(seed)
    description = {
        "version": 5,
        "input": input,
        "layers": list(layers),
        "output": output,
        "dataset": "",
        "classes": list(classes),
    }
    weights = {
        name: rng.normal(0, 0.4, shape).astype(dtype)
        for layer in layers
        for name, shape in shapes(layer).items()
    }
    return unroll.Model.from_weights(description, weights)


def classifier(cell="gru", inputs=3, hidden=8, classes=4, dtype="float32", readout="last", **more):
    """Make a recurrent layer and a linear layer."""
    layer = recurrent(cell, inputs, hidden, readout, **more)
    width = hidden * (2 if layer["bidirectional"] else 1) * (2 if readout == "mean_last" else 1)
    return make(series(inputs), layer, linear(width, classes), dtype=dtype)
