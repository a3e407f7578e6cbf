"""Layers that compute each step, or each vector, on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from .flow import ENDINGS, IMAGE_LAYERS, Flow, Label, Layer, Refusal
from .operations import OPERATIONS, operation
from .trace import Trace


def array_of(tensor: Any, what: str = "its weight") -> np.ndarray:
    """Return a constant's numbers."""
    if isinstance(tensor, Flow):
        raise Refusal(f"{what} comes from the input; that has no counterpart")
    return np.array(torch.as_tensor(tensor).detach().cpu().numpy(), order="C")


def weights_of(**tensors: Any) -> dict[str, np.ndarray]:
    return {name: array_of(tensor) for name, tensor in tensors.items() if tensor is not None}


# ---- Layers without time


@operation("linear")
def linear(trace: Trace, x: Flow, weight: Any, bias: Any = None) -> Flow:
    x = x.read_on(-1)
    options: dict[str, Any] = {
        "type": "linear",
        "name": trace.layer_name("linear"),
        "in_features": weight.shape[1],
        "out_features": weight.shape[0],
        "bias": bias is not None,
    }
    layers = (*x.layers, Layer({"type": "flatten"})) if is_image(x) else x.layers
    return x.but(layers=layers).with_features(
        Layer(options, weights_of(weight=weight, bias=bias)), weight.shape[0]
    )


@operation("matmul", "mm")
def matmul(trace: Trace, x: Any, y: Any) -> Flow:
    if not isinstance(x, Flow) or isinstance(y, Flow) or y.dim() != 2:
        raise Refusal("a matrix product that is no linear layer; that has no counterpart")
    return linear(trace, x, y.t())


@operation("addmm")
def addmm(trace: Trace, bias: Any, x: Any, weight: Any) -> Flow:
    if not isinstance(x, Flow):
        raise Refusal("a matrix product that is no linear layer; that has no counterpart")
    return linear(trace, x, weight.t(), bias)


def is_image(x: Flow) -> bool:
    """Tell whether the features are the channels and pixels of an image."""
    return (
        any(layer.type in IMAGE_LAYERS for layer in x.layers)
        and x.features is not None
        and len(x.features) == 3
    )


@operation("embedding")
def embedding(
    trace: Trace,
    x: Any,
    weight: Any,
    padding_idx: Any = None,
    max_norm: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Flow:
    if max_norm is not None:
        raise Refusal(
            "an embedding with max_norm, which changes its rows as they are read; that has no counterpart"
        )
    if not isinstance(x, Flow) or x.layers or not x.whole:
        raise Refusal("an embedding reads something else than the input; here tokens are the whole input")
    return _embedded(trace, x, weight)


def _embedded(trace: Trace, x: Flow, weight: Any) -> Flow:
    count, width = weight.shape
    options = {
        "type": "embedding",
        "name": trace.layer_name("embedding"),
        "num_embeddings": count,
        "embedding_dim": width,
    }
    new = (Label(width, "features"),)
    layer = Layer(options, weights_of(weight=weight))
    return x.but(layers=(layer,), dims=(*x.dims, new), features=new, whole=False)


@operation("one_hot")
def one_hot(trace: Trace, x: Flow, num_classes: int = -1) -> Flow:
    if x.layers or num_classes < 1:
        raise Refusal("one_hot needs num_classes, and reads only the input")
    return _embedded(trace, x, torch.eye(num_classes))


@operation("layer_norm")
def layer_norm(trace: Trace, x: Flow, shape: Sequence[int], weight: Any = None, bias: Any = None,
               eps: float = 1e-5, *args: Any) -> Flow:  # fmt: skip
    if len(shape) != 1:
        raise Refusal("layer normalisation over several dimensions; here it is over the features alone")
    x = x.read_on(-1)
    options: dict[str, Any] = {
        "type": "layer_norm",
        "name": trace.layer_name("layer_norm"),
        "features": shape[0],
        "eps": eps,
        "elementwise_affine": weight is not None,
        "bias": bias is not None,
    }
    return x.then(Layer(options, weights_of(weight=weight, bias=bias)))


# ---- Functions of single numbers


def _activation(function: str) -> Any:
    def operate(trace: Trace, x: Flow, inplace: bool = False) -> Flow:
        return x.then(Layer({"type": "activation", "function": function}))

    return operate


for _name in ("relu", "tanh", "sigmoid"):
    OPERATIONS[_name] = _activation(_name)


@operation("clamp", "clip", "clamp_min")
def clamp(trace: Trace, x: Flow, min: Any = None, max: Any = None) -> Flow:
    if min != 0 or max is not None:
        raise Refusal("numbers are clamped; only relu, max(x, 0), has a counterpart")
    return x.then(Layer({"type": "activation", "function": "relu"}))


def _ending(function: str) -> Any:
    def operate(trace: Trace, x: Flow, dim: int | None = None, *args: Any, **kwargs: Any) -> Flow:
        if dim is None:
            raise Refusal(f"{function} needs dim=-1")
        group = x.dims[x.axis(dim)]
        if group != x.features:
            raise Refusal(
                f"{function} over a dimension that does not hold the features; that has no counterpart"
            )
        return x.then(Layer({"type": function}))

    return operate


for _name in ENDINGS:
    OPERATIONS[_name] = _ending(_name)
