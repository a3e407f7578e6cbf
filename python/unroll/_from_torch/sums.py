"""Sums and products with constants, residual connections, and batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flow import Flow, Layer, Refusal
from .operations import operation, same_dims
from .stepwise import array_of, is_image
from .trace import Trace


def _plain(options: dict[str, Any]) -> bool:
    return options.get("alpha", 1) == 1 and not options.get("rounding_mode")


@operation("add", "radd", "iadd")
def add(trace: Trace, x: Any, y: Any, **options: Any) -> Flow:
    if not _plain(options):
        raise Refusal("an addition with alpha; that has no counterpart")
    if isinstance(x, Flow) and isinstance(y, Flow):
        return _residual(x, y)
    x, y = (x, y) if isinstance(x, Flow) else (y, x)
    return _scaled(x, -array_of(y), 1.0)


@operation("sub", "subtract", "isub")
def subtract(trace: Trace, x: Any, y: Any, **options: Any) -> Flow:
    if not isinstance(x, Flow) or isinstance(y, Flow) or not _plain(options):
        raise Refusal("a difference that is no (x - mean) / std; that has no counterpart")
    return _scaled(x, array_of(y), 1.0)


@operation("div", "truediv", "divide", "true_divide", "itruediv")
def divide(trace: Trace, x: Any, y: Any, **options: Any) -> Flow:
    if not isinstance(x, Flow) or isinstance(y, Flow) or not _plain(options):
        raise Refusal("a quotient that is no (x - mean) / std; that has no counterpart")
    return _scaled(x, 0.0, array_of(y))


@operation("mul", "rmul", "multiply", "imul")
def multiply(trace: Trace, x: Any, y: Any) -> Flow:
    if isinstance(x, Flow) and isinstance(y, Flow):
        raise Refusal("two tensors that come from the input are multiplied; that has no counterpart")
    x, y = (x, y) if isinstance(x, Flow) else (y, x)
    with np.errstate(divide="ignore"):
        return _scaled(x, 0.0, 1.0 / array_of(y).astype(np.float64))


def _residual(x: Flow, y: Flow) -> Flow:
    """Add two tensors: the input of some layers and their output."""
    if x.direction is not None and y.direction is not None:
        raise Refusal("the two directions are added; only both side by side can be read")
    x, y = (x, y) if len(x.layers) <= len(y.layers) else (y, x)
    count = len(x.layers)
    if y.layers[:count] != x.layers or len(y.layers) == count or not same_dims(x, y):
        raise Refusal(
            "two tensors are added, but neither is made from the other alone; only x + f(x) has a "
            "counterpart, where f is layers one after the other that keep the shape"
        )
    x.complete()
    return y.then(Layer({"type": "residual", "over": len(y.layers) - count}))


def _scaled(x: Flow, mean: Any, std: Any) -> Flow:
    """Return (x - mean) / std, with one number each or one for each feature."""
    if np.all(mean == 0) and np.all(std == 1):
        return x
    x = x.complete()
    x, means = _by_feature(x, np.asarray(mean, np.float64))
    x, stds = _by_feature(x, np.asarray(std, np.float64))
    if not (np.all(np.isfinite(stds)) and np.all(stds > 0)):
        raise Refusal("numbers are multiplied by 0, by a negative number, or by one that is not finite")
    if is_image(x):
        raise Refusal("numbers are added to an image, or multiply it; that has no counterpart")
    layers = x.layers
    if layers and layers[-1].type == "scale" and layers[-1].options["std"] == [1.0] and np.all(means == 0):
        means = np.asarray(layers[-1].options["mean"])
        layers = layers[:-1]
    options = {"type": "scale", "mean": means.ravel().tolist(), "std": stds.ravel().tolist()}
    return x.but(layers=(*layers, Layer(options)), whole=False)


def _by_feature(x: Flow, numbers: np.ndarray) -> tuple[Flow, np.ndarray]:
    """Check that a constant has one number, or one for each feature."""
    if numbers.size == 1:
        return x, numbers
    axes = [i - numbers.ndim for i, size in enumerate(numbers.shape) if size > 1]
    if numbers.ndim > len(x.dims) or len(axes) != 1:
        raise Refusal(
            f"a constant of shape {numbers.shape} meets a tensor of shape {x.shape}; only one number for "
            "each feature has a counterpart"
        )
    return x.read_on(axes[0]), numbers


def _factors(trace: Trace, x: Flow, factor: np.ndarray, shift: np.ndarray, dtype: Any) -> Flow:
    """Return factor * x + shift as a linear layer: a scale layer has positive factors only."""
    x = x.read_on(1)
    options = {
        "type": "linear",
        "name": trace.layer_name("scale"),
        "in_features": factor.size,
        "out_features": factor.size,
        "bias": True,
    }
    weights = {"weight": np.diag(factor).astype(dtype), "bias": shift.astype(dtype)}
    return x.then(Layer(options, weights))


@operation("batch_norm")
def batch_norm(
    trace: Trace,
    x: Flow,
    mean: Any,
    var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *args: Any,
) -> Flow:
    """Fold it into the layer before it: in eval mode it is a factor and a shift of each feature."""
    if training or mean is None:
        raise Refusal("its batch normalisation uses the statistics of the batch; that has no counterpart")
    m, v = array_of(mean).astype(np.float64), array_of(var).astype(np.float64)
    factor = (1.0 if weight is None else array_of(weight).astype(np.float64)) / np.sqrt(v + eps)
    shift = (0.0 if bias is None else array_of(bias).astype(np.float64)) - m * factor
    x = x.complete()
    if x.features is not None and x.dims[1] not in (x.features, x.features[:1]):
        raise Refusal("it normalises a dimension that does not hold the features")
    last = x.layers[-1] if x.layers else None
    if last is None or last.type not in ("linear", "conv1d", "conv2d"):
        if np.any(factor <= 0):
            return _factors(trace, x, factor, shift, array_of(mean).dtype)
        shape = (-1, *[1] * (len(x.dims) - 2))
        return _scaled(x, (-shift / factor).reshape(shape), (1 / factor).reshape(shape))
    old = last.weights
    dtype = old["weight"].dtype
    weights = {
        "weight": (old["weight"] * factor.reshape(-1, *[1] * (old["weight"].ndim - 1))).astype(dtype),
        "bias": (old.get("bias", 0.0) * factor + shift).astype(dtype),
    }
    return x.but(layers=(*x.layers[:-1], Layer(last.options | {"bias": True}, weights)))
