"""The description of a model, version 5, from the layers that a trace found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from .flow import IMAGE_LAYERS, Layer


def kind_of_input(layers: Sequence[Layer], has_time: bool) -> str:
    """Return "tokens", "images", "series" or "vector"."""
    if layers and layers[0].type == "embedding":
        return "tokens"
    if any(layer.type in IMAGE_LAYERS for layer in layers):
        return "images"
    return "series" if has_time else "vector"


def input_of(kind: str, layers: Sequence[Layer], sizes: Sequence[int], steps: int) -> dict[str, Any]:
    """Return the description's input: `sizes` of the features, and the number of steps; 0 is any."""
    features = int(np.prod(sizes))
    plain: dict[str, Any] = {"names": [], "mean": [], "std": []}
    if kind == "tokens":
        return {"kind": kind, "tokens": layers[0].options["num_embeddings"], "steps": steps, "vocabulary": []}
    if kind == "images":
        return {"kind": kind, "form": "image", "height": sizes[-2], "width": sizes[-1], "permutation": None,
                "mean": 0.0, "std": 1.0, "pixels": False}  # fmt: skip
    if kind == "series":
        return {"kind": kind, "features": features, "steps": steps, **plain}
    return {"kind": kind, "features": features, **plain}


def describe(
    given: dict[str, Any], layers: Sequence[Layer], output: str, classes: list[str]
) -> tuple[str, dict[str, np.ndarray]]:
    """Return the text of a description, and the weights by name. `given` is its input."""
    taken: set[str] = set()
    options: list[dict[str, Any]] = []
    weights: dict[str, np.ndarray] = {}
    for layer in layers:
        one = dict(layer.options)
        if "name" in one:
            one["name"] = _free_name(one["name"], taken)
            weights |= {f"{one['name']}.{name}": values for name, values in layer.weights.items()}
        options.append(one)
    whole = {
        "version": 5,
        "input": given,
        "layers": options,
        "output": output,
        "dataset": "",
        "classes": classes,
    }
    return json.dumps(whole), weights


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name that no layer has. A module that is called twice is two layers."""
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    taken.add(free)
    return free
