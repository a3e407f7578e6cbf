"""Parts of what a recurrent layer gives: the last step, a mean over steps, one direction."""

from __future__ import annotations

from collections.abc import Sequence

from .flow import RECURRENT, Flow, Group, Label, Layer, Refusal, size_of

# Layers that compute each step from this step alone, so that the last step may be taken before them.
_STEPWISE = ("linear", "activation", "layer_norm", "scale", "residual")
_LINEAR = ("linear", "scale")  # the mean of their outputs is the output of the mean


def is_time(flow: Flow, dim: int) -> bool:
    """Tell whether a dimension is the steps of a sequence, and nothing else."""
    group = flow.dims[dim]
    return len(group) == 1 and group[0].role == "time"


def _with_readout(flow: Flow, readout: str, allowed: Sequence[str], what: str) -> tuple[Layer, ...]:
    """Return the layers with a readout of the last recurrent layer, moved before the layers behind it."""
    at = max((i for i, layer in enumerate(flow.layers) if layer.type in RECURRENT), default=None)
    if at is None:
        raise Refusal(f"{what} of a sequence is read, but no recurrent layer gave it")
    recurrent = flow.layers[at]
    if recurrent.options["readout"] != "every_step":
        raise Refusal(f"{what} is read from a sequence that no recurrent layer gave")
    for i, layer in enumerate(flow.layers[at + 1 :], at + 1):
        too_far = layer.type == "residual" and i - layer.options["over"] <= at
        if layer.type not in allowed or too_far:
            raise Refusal(
                f"{what} is read behind a layer of type {layer.type}, and not right behind "
                f"{recurrent.options['name']}"
            )
    return (*flow.layers[:at], recurrent.replaced(readout=readout), *flow.layers[at + 1 :])


def _resolved(flow: Flow) -> Flow:
    """Turn one step of one direction into that direction's part of h_n, if it is that."""
    if flow.step is None or flow.direction is None:
        return flow
    if (flow.direction, flow.step) not in ((0, -1), (1, 0)):
        raise Refusal(
            f"step {flow.step} of direction {flow.direction} is read, where this direction has read only "
            "one step; take h_n instead: torch.cat([h_n[-2], h_n[-1]], -1)"
        )
    return flow.but(step=None, layers=_with_readout(flow, "last", (), f"step {flow.step}"))


def one_step(flow: Flow, dim: int, step: int, *, keep: bool = False) -> Flow:
    """Return the flow at step 0 or at the last step, which is -1."""
    two = flow.both or (flow.layers and flow.layers[-1].options.get("bidirectional"))
    if two:
        _with_readout(flow, "last", (), f"step {step}")  # refuses layers in between
        return _resolved(flow.without(dim, keep=keep).but(step=step))
    bidirectional = [layer for layer in flow.layers if layer.type in RECURRENT]
    if bidirectional and bidirectional[-1].options["bidirectional"]:
        raise Refusal(
            "one step is read behind the layers that follow a bidirectional layer; take h_n instead"
        )
    if step != -1:
        raise Refusal("the first step is read; only the last one can be")
    layers = _with_readout(flow, "last", _STEPWISE, "the last step")
    return flow.without(dim, keep=keep).but(layers=layers)


def one_direction(flow: Flow, dims: tuple[Group, ...], direction: int) -> Flow:
    """Return one direction of a layer that has two. `dims` are the dimensions that are left."""
    assert flow.features is not None
    return _resolved(flow.but(dims=dims, direction=direction, both=flow.features, features=flow.features[1:]))


def over_steps(flow: Flow, dim: int, readout: str, *, keep: bool) -> Flow:
    """Return the mean or the max over all steps."""
    if flow.direction is not None:
        raise Refusal(f"the {readout} over the steps of one direction is read; only that of both can be")
    flow = flow.complete()
    layers = _with_readout(
        flow, readout, _LINEAR if readout == "mean" else (), f"the {readout} over the steps"
    )
    return flow.without(dim, keep=keep).but(layers=layers)


def _two_directions(a: Flow, b: Flow) -> bool:
    return a.layers == b.layers and (a.direction, b.direction) == (0, 1) and a.step is None and b.step is None


def _readouts_of_one(a: Flow, b: Flow) -> list[str]:
    """Return the readouts of both if they differ only in the readout, else nothing."""
    if not a.layers or not b.layers or a.layers[:-1] != b.layers[:-1]:
        return []
    x, y = a.layers[-1], b.layers[-1]
    if x.type not in RECURRENT or x.replaced(readout="") != y.replaced(readout=""):
        return []
    return [x.options["readout"], y.options["readout"]]


def side_by_side(flows: Sequence[Flow], dim: int) -> Flow:
    """Return several flows behind each other in the dimension of features."""
    left = list(flows)
    at = left[0].axis(dim)
    for flow in left:
        if len(flow.dims) != len(left[0].dims) or flow.dims[at] != flow.features:
            raise Refusal("tensors are put together in a dimension that does not hold the features")
    i = 0
    while i + 1 < len(left):
        a, b = left[i], left[i + 1]
        if not _two_directions(a, b):
            i += 1
            continue
        dims = (*a.dims[:at], a.both, *a.dims[at + 1 :])
        left[i : i + 2] = [a.but(dims=dims, features=a.both, direction=None, both=())]
    if len(left) == 1:
        return left[0]
    left = [flow.complete() for flow in left]
    readouts = _readouts_of_one(left[0], left[1]) if len(left) == 2 else []
    if readouts != ["mean", "last"]:
        names = ", ".join(readouts) or "outputs of different layers"
        raise Refusal(
            f"{names} are put side by side; only the mean over steps and the last state can be, in this order"
        )
    a = left[0]
    wide = (Label(2 * size_of(a.dims[at]), "features"),)
    layers = (*a.layers[:-1], a.layers[-1].replaced(readout="mean_last"))
    return a.but(layers=layers, dims=(*a.dims[:at], wide, *a.dims[at + 1 :]), features=wide)
