"""Convolutions, and the largest elements of windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .flow import Flow, Label, Layer, Refusal, check_sequence, size_of
from .operations import operation
from .stepwise import weights_of
from .trace import Trace


def _pair(value: Any) -> list[int]:
    if isinstance(value, str):
        raise Refusal(f"the padding '{value}' of a Conv2d; give it as numbers")
    pair = [value] * 2 if isinstance(value, int) else list(value)
    return pair * 2 if len(pair) == 1 else pair


@operation("pad")
def pad(
    trace: Trace, x: Flow, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Flow:
    if mode != "constant" or value:
        raise Refusal(f"a padding that is not of zeros ({mode}); that has no counterpart")
    for i in range(0, len(pad), 2):
        at = len(x.dims) - 1 - i // 2
        if not pad[i] and not pad[i + 1]:
            continue
        time = x.dims[at]
        if len(time) != 1 or min(pad[i : i + 2]) < 0:
            raise Refusal("a padding of a dimension that is not time; that has no counterpart")
        time[0].become("time")
        longer = (Label(time[0].size + pad[i] + pad[i + 1], "time"),)
        before, after = x.padded
        x = x.but(
            dims=(*x.dims[:at], longer, *x.dims[at + 1 :]),
            padded=(before + pad[i], after + pad[i + 1]),
            unpadded=x.unpadded or time,
        )
    return x


@operation("conv1d")
def conv1d(
    trace: Trace,
    x: Flow,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Flow:
    name = trace.layer_name("conv1d")
    (before, after), unpadded = x.padded, x.unpadded or x.dims[-1]
    x = x.but(padded=(0, 0), unpadded=()).read_on(-2)
    check_sequence(x, x.dims[-1], sum(x.dims[:-2], ()))
    (stride,), (dilation,) = (v if isinstance(v, (tuple, list)) else [v] for v in (stride, dilation))
    kernel = weight.shape[2]
    span = dilation * (kernel - 1)
    if padding == "valid":
        padding = 0
    if padding == "same":
        before, after = before + span // 2, after + span - span // 2
    else:
        added = padding if isinstance(padding, int) else padding[0]
        before, after = before + added, after + added
    causal = before != after
    if causal and (before, after) != (span, 0):
        raise Refusal(
            f"it reads {before} zeros before a sequence and {after} behind it; here it is as many at both "
            f"ends, or only at the start, dilation * (kernel - 1) = {span}"
        )
    options: dict[str, Any] = {
        "type": "conv1d",
        "name": name,
        "in_channels": weight.shape[1] * groups,
        "out_channels": weight.shape[0],
        "kernel": kernel,
        "stride": stride,
        "padding": 0 if causal else before,
        "dilation": dilation,
        "causal": causal,
        "groups": groups,
        "bias": bias is not None,
    }
    steps = (size_of(unpadded) + before + after - span - 1) // stride + 1
    keeps = stride == 1 and before + after == span
    y = x.with_features(Layer(options, weights_of(weight=weight, bias=bias)), weight.shape[0])
    return y.but(dims=(*y.dims[:-1], unpadded if keeps else (Label(steps, "time"),)))


@operation("conv2d")
def conv2d(
    trace: Trace,
    x: Flow,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Flow:
    name = trace.layer_name("conv2d")
    if _pair(dilation) != [1, 1] or groups != 1:
        raise Refusal("dilation and groups of a Conv2d must be 1 here")
    options: dict[str, Any] = {
        "type": "conv2d",
        "name": name,
        "in_channels": weight.shape[1],
        "out_channels": weight.shape[0],
        "kernel": list(weight.shape[2:]),
        "stride": _pair(stride),
        "padding": [0, 0] if padding == "valid" else _pair(padding),
        "bias": bias is not None,
    }
    if not x.layers and weight.shape[1] != 1:
        raise Refusal(f"it reads images of {weight.shape[1]} channels; here images have one")
    return _windows(x, Layer(options, weights_of(weight=weight, bias=bias)), weight.shape[0])


@operation("max_pool2d")
def max_pool2d(
    trace: Trace,
    x: Flow,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Flow:
    if _pair(dilation) != [1, 1] or ceil_mode or return_indices:
        raise Refusal("dilation, ceil_mode and return_indices of a MaxPool2d must be off here")
    kernel = _pair(kernel_size)
    options = {
        "type": "max_pool2d",
        "kernel": kernel,
        "stride": _pair(stride) if stride else kernel,
        "padding": _pair(padding),
    }
    return _windows(x, Layer(options), size_of(x.dims[x.axis(-3)]))


def _windows(x: Flow, layer: Layer, channels: int) -> Flow:
    """Return the flow behind a layer that reads windows of an image: (N, C, H, W) or (C, H, W)."""
    x = x.complete()
    if any(layer.type == "scale" for layer in x.layers):
        raise Refusal("its input is scaled by the module; scale images before they are given to it")
    image, batch = x.dims[-3:], x.dims[:-3]
    labels = sum(image, ())
    if len(image) < 3 or len(labels) != 3 or labels != (x.features or labels) or len(batch) > 1:
        raise Refusal(f"it reads a tensor of shape {x.shape}, whose dimensions are no image")
    for label in labels:
        label.become("features")
    for label in sum(batch, ()):
        label.become("batch")
    sizes = [
        (size_of(group) + 2 * p - k) // s + 1
        for group, k, s, p in zip(
            image[1:], layer.options["kernel"], layer.options["stride"], layer.options["padding"], strict=True
        )
    ]
    new = tuple(Label(size, "features") for size in (channels, *sizes))
    return x.but(layers=(*x.layers, layer), dims=(*batch, *((label,) for label in new)), features=new)
