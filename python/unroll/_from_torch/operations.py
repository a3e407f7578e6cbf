"""What each operation of torch between two layers does to a Flow.

A function here is called as its operation in torch: `trace` first, then the operation's own arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

from .flow import Flow, Label, Refusal, regrouped, size_of
from .readouts import is_time, one_direction, one_step, over_steps, side_by_side
from .trace import Trace, Unknown

_Operation = TypeVar("_Operation", bound=Callable[..., Any])

OPERATIONS: dict[str, Callable[..., Any]] = {}


def operation(*names: str) -> Callable[[_Operation], _Operation]:
    """Register a function under the names of operations."""

    def register(function: _Operation) -> _Operation:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return register


@operation("contiguous", "clone", "detach", "data", "cpu", "requires_grad", "alias")
def same(trace: Trace, x: Flow, *args: Any, **kwargs: Any) -> Flow:
    return x


@operation("float", "double", "to", "type", "type_as")
def converted(trace: Trace, x: Flow, *args: Any, **kwargs: Any) -> Flow:
    kinds = [a.dtype if isinstance(a, torch.Tensor) else a for a in (*args, *kwargs.values())]
    if not x.whole and any(isinstance(kind, torch.dtype) and not kind.is_floating_point for kind in kinds):
        raise Refusal("numbers become whole numbers")
    return x


@operation("long", "int")
def whole_numbers(trace: Trace, x: Flow) -> Flow:
    return converted(trace, x, torch.int64)


@operation("dropout", "alpha_dropout", "dropout1d", "dropout2d", "feature_dropout", "feature_alpha_dropout")
def dropout(trace: Trace, x: Flow, p: float = 0.5, training: bool = True, inplace: bool = False) -> Flow:
    if training and p > 0:
        raise Refusal("its dropout is on in eval mode too; use nn.Dropout, or training=self.training")
    return x


# What does not depend on the numbers of a tensor is a constant.
@operation("zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "new_tensor")
def constant(trace: Trace, *args: Any, **kwargs: Any) -> None:
    return None


# ---- Shapes


@operation("transpose", "swapaxes", "swapdims")
def transpose(trace: Trace, x: Flow, dim0: int, dim1: int) -> Flow:
    a, b = x.axis(dim0), x.axis(dim1)
    dims = list(x.dims)
    dims[a], dims[b] = dims[b], dims[a]
    return x.but(dims=tuple(dims))


@operation("permute")
def permute(trace: Trace, x: Flow, *order: Any, dims: Sequence[int] = ()) -> Flow:
    return x.but(dims=tuple(x.dims[x.axis(dim)] for dim in dims or _numbers(order)))


@operation("T", "t", "mT")
def reversed_dims(trace: Trace, x: Flow) -> Flow:
    return transpose(trace, x, -1, -2)


@operation("unsqueeze")
def unsqueeze(trace: Trace, x: Flow, dim: int) -> Flow:
    at = dim % (len(x.dims) + 1)
    if not x.layers and x.features is None and at == len(x.dims):
        return _one_feature(x)
    return x.but(dims=(*x.dims[:at], (), *x.dims[at:]))


def _one_feature(x: Flow) -> Flow:
    """Add the dimension of features to an input with one number a step."""
    new = (Label(1, "features"),)
    return x.but(dims=(*x.dims, new), features=new)


@operation("squeeze")
def squeeze(trace: Trace, x: Flow, *dims: Any, dim: Any = None) -> Flow:
    given = dims if dim is None else (dim,)
    at = [x.axis(d) for d in _numbers(given)] if given else range(len(x.dims))
    return x.but(dims=tuple(g for i, g in enumerate(x.dims) if i not in at or size_of(g) != 1))


@operation("view", "reshape")
def view(trace: Trace, x: Flow, *shape: Any) -> Flow:
    if shape and isinstance(shape[0], torch.dtype):
        raise Refusal("a tensor's bytes are read as another type")
    sizes = _numbers(shape)
    if -1 in sizes:
        known = -1
        for size in sizes:
            known *= size
        sizes[sizes.index(-1)] = size_of(sum(x.dims, ())) // known
    if not x.layers and x.features is None and sizes == [*x.shape, 1]:
        return _one_feature(x)
    return regrouped(x, sizes)


@operation("view_as", "reshape_as")
def view_as(trace: Trace, x: Flow, other: Any) -> Flow:
    return view(trace, x, *other.shape)


@operation("flatten")
def flatten(trace: Trace, x: Flow, start_dim: int = 0, end_dim: int = -1) -> Flow:
    a, b = x.axis(start_dim), x.axis(end_dim)
    return x.but(dims=(*x.dims[:a], sum(x.dims[a : b + 1], ()), *x.dims[b + 1 :]))


@operation("unflatten")
def unflatten(trace: Trace, x: Flow, dim: int, sizes: Sequence[int]) -> Flow:
    at = x.axis(dim)
    return view(trace, x, *x.shape[:at], *sizes, *x.shape[at + 1 :])


# ---- Parts


@operation("getitem")
def getitem(trace: Trace, x: Flow, index: Any) -> Flow:
    at = 0
    for part in _all_dims(x, index if isinstance(index, list) else [index]):
        if part is None:
            x = unsqueeze(trace, x, at)
        elif isinstance(part, slice):
            x = _slice(x, at, part)
        else:
            x = _one(x, at, part)
            continue
        at += 1
    return x


def _all_dims(x: Flow, index: list[Any]) -> list[Any]:
    """Return an index with a part for each dimension."""
    if any(not (part is None or part is Ellipsis or isinstance(part, (int, slice))) for part in index):
        raise Refusal("a tensor is indexed by a tensor or a list; only numbers and slices are known here")
    missing = [slice(None)] * (len(x.dims) - sum(part is not None and part is not Ellipsis for part in index))
    if Ellipsis not in index:
        return [*index, *missing]
    at = index.index(Ellipsis)
    return [*index[:at], *missing, *index[at + 1 :]]


def _one(x: Flow, dim: int, index: int) -> Flow:
    """Return x with one index of a dimension, which goes away."""
    group = x.dims[dim]
    size = size_of(group)
    index %= size
    if size == 1 and (not group or not is_time(x, dim)):
        return x.without(dim)
    if is_time(x, dim):
        return one_step(x, dim, -1 if index == size - 1 else index)
    if any(label.role in ("layers", "directions") for label in group):
        return _one_state(x, dim, index)
    what = {
        "batch": "one sequence of the batch, not one step; check batch_first",
        "features": "one of the features",
    }
    part = what.get(group[0].role or "", "a part of the input")
    raise Refusal(f"index {index} of dimension {dim} takes {part}")


def _one_state(x: Flow, dim: int, index: int) -> Flow:
    """Return one row of h_n, or a direction of all of its rows."""
    group = x.dims[dim]
    directions = next((label.size for label in group if label.role == "directions"), 1)
    dims = (*x.dims[:dim], *x.dims[dim + 1 :])
    if group[0].role == "layers":
        if index // directions != group[0].size - 1:
            raise Refusal(
                f"h_n[{index}] is the state of a layer below the last; only the last layer's can be read"
            )
        if len(group) == 1:
            return x.but(dims=dims)
    return one_direction(x, dims, index % directions)


def _slice(x: Flow, dim: int, part: slice) -> Flow:
    """Return x with a slice of a dimension."""
    group = x.dims[dim]
    size = size_of(group)
    start, stop, step = part.indices(size)
    if (start, stop, step) == (0, size, 1):
        return x
    if step == 1 and stop == start + 1 and is_time(x, dim):
        return one_step(x, dim, -1 if stop == size else start, keep=True)
    if step == 1 and start == 0 and is_time(x, dim):
        return _cut(x, dim, size - stop)
    last = len(group) == 2 and group[0].role == "layers" and (size - group[1].size, size, 1)
    if last == (start, stop, step):  # h_n[-2:]
        return x.but(dims=(*x.dims[:dim], group[1:], *x.dims[dim + 1 :]))
    if step == 1 and group == x.features and len(group) == 2 and group[0].role == "directions":
        half = group[1].size
        if (start, stop) in ((0, half), (half, size)):
            return one_direction(x, (*x.dims[:dim], group[1:], *x.dims[dim + 1 :]), start // half)
    raise Refusal(f"elements {start} to {stop} of a dimension of {size} are taken; that has no counterpart")


def _cut(x: Flow, dim: int, steps: int) -> Flow:
    """Cut the end of a sequence: a causal convolution may pad both ends and cut the steps that look ahead."""
    last = x.layers[-1] if x.layers else None
    if last is not None and last.type == "conv1d" and not last.options["causal"]:
        span = last.options["dilation"] * (last.options["kernel"] - 1)
        if last.options["stride"] == 1 and last.options["padding"] == span == steps:
            time = (Label(size_of(x.dims[dim]) - steps, "time"),)
            layers = (*x.layers[:-1], last.replaced(causal=True, padding=0))
            return x.but(layers=layers, dims=(*x.dims[:dim], time, *x.dims[dim + 1 :]))
    raise Refusal("a part of a sequence is taken; only its last step can be read")


@operation("select")
def select(trace: Trace, x: Flow, dim: int, index: int) -> Flow:
    return _one(x, x.axis(dim), index)


@operation("narrow")
def narrow(trace: Trace, x: Flow, dim: int, start: int, length: int) -> Flow:
    return _slice(x, x.axis(dim), slice(start, start + length))


def _each(trace: Trace, x: Flow, dim: int, indices: Sequence[int | slice]) -> list[Flow | Unknown]:
    """Return several parts. One that can't be read matters only if it is used."""
    at = x.axis(dim)
    results: list[Flow | Unknown] = []
    for index in indices:
        try:
            results.append(_slice(x, at, index) if isinstance(index, slice) else _one(x, at, index))
        except Refusal as refusal:
            results.append(Unknown(f"{trace.where()}: {refusal}"))
    return results


@operation("split")
def split(trace: Trace, x: Flow, sizes: Any, dim: int = 0) -> list[Flow | Unknown]:
    size = x.shape[x.axis(dim)]
    if isinstance(sizes, int):
        sizes = [min(sizes, size - start) for start in range(0, size, sizes)]
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return _each(trace, x, dim, [slice(a, a + n) for a, n in zip(starts, sizes, strict=True)])


@operation("chunk")
def chunk(trace: Trace, x: Flow, chunks: int, dim: int = 0) -> list[Flow | Unknown]:
    return split(trace, x, -(-x.shape[x.axis(dim)] // chunks), dim)


@operation("unbind", "iter")
def unbind(trace: Trace, x: Flow, dim: int = 0) -> list[Flow | Unknown]:
    return _each(trace, x, dim, range(x.shape[x.axis(dim)]))


# ---- Over steps, and several tensors


@operation("mean")
def mean(trace: Trace, x: Flow, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Flow:
    return _over(x, dim, "mean", keepdim)


@operation("amax")
def amax(trace: Trace, x: Flow, dim: Any = None, keepdim: bool = False) -> Flow:
    return _over(x, dim, "max", keepdim)


@operation("max")
def largest(trace: Trace, x: Flow, dim: Any = None, keepdim: bool = False) -> list[Flow | Unknown]:
    indices = Unknown(f"{trace.where()}: the places of the largest numbers are read; that has no counterpart")
    return [_over(x, dim, "max", keepdim), indices]


@operation("adaptive_avg_pool1d")
def mean_pool(trace: Trace, x: Flow, output_size: Any) -> Flow:
    return _whole_pool(x, output_size, "mean")


@operation("adaptive_max_pool1d")
def max_pool(trace: Trace, x: Flow, output_size: Any, return_indices: bool = False) -> Flow:
    return _whole_pool(x, output_size, "max")


def _whole_pool(x: Flow, output_size: Any, readout: str) -> Flow:
    if _numbers((output_size,)) != [1]:
        raise Refusal("pooling over time keeps more than one step; that has no counterpart")
    return _over(x, -1, readout, True)


def _over(x: Flow, dim: Any, readout: str, keep: bool) -> Flow:
    dims = [x.axis(d) for d in _numbers((dim,))] if dim is not None else []
    if len(dims) != 1 or not is_time(x, dims[0]):
        raise Refusal(f"a {readout} over a dimension that is not time; that has no counterpart")
    return over_steps(x, dims[0], readout, keep=keep)


@operation("cat", "concat", "concatenate")
def cat(trace: Trace, tensors: list[Any], dim: int = 0, **kwargs: Any) -> Flow:
    if any(not isinstance(tensor, Flow) for tensor in tensors):
        raise Refusal("constants are put beside the numbers of the input; that has no counterpart")
    return side_by_side(tensors, kwargs.get("axis", dim))


def _numbers(given: Any) -> list[int]:
    """Return the numbers of f(1, 2) and of f((1, 2))."""
    if len(given) == 1 and not isinstance(given[0], int):
        given = given[0]
    return [int(number) for number in given]


def same_dims(x: Flow, y: Flow) -> bool:
    """Tell whether two tensors have the same dimensions. y has features; they may be others than x has."""
    if len(x.dims) != len(y.dims):
        return False
    for a, b in zip(x.dims, y.dims, strict=True):
        if b == y.features:
            if size_of(a) != size_of(b) or x.features not in (None, a):
                return False
        elif [(label.size, label.role) for label in a] != [(label.size, label.role) for label in b]:
            return False
    return True


__all__ = ["OPERATIONS", "operation", "same_dims"]
