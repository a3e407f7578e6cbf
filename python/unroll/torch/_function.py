"""The layers as one operation of PyTorch's autograd."""

from __future__ import annotations

import atexit
import weakref
from typing import Any

import torch
from torch import Tensor, nn

from unroll import _core
from unroll.torch import _regularisers, _second
from unroll.torch._reasons import functorch_is_active
from unroll.torch._sizes import Sizes, sizes_of

CELLS = {"RNN_RELU": 0, "RNN_TANH": 1, "LSTM": 2, "GRU": 3}  # as in src/kernels/cell.h
grad_is_enabled = torch.is_grad_enabled
_is_batched = getattr(getattr(torch._C, "_functorch", None), "is_legacy_batchedtensor", lambda _: False)
_hooks_on = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", lambda _: True)

# The C++ side of each layer, and the sizes that it was made for. It does not stand in the layer:
# nothing to copy or to pickle.
_cores: weakref.WeakKeyDictionary[nn.RNNBase, tuple[Any, _core.Recurrent]] = weakref.WeakKeyDictionary()
atexit.register(_cores.clear)


def core_of(layer: nn.RNNBase, sizes: Sizes | None = None) -> _core.Recurrent:
    """Give the C++ side of a layer; `sizes` are the layer's, if they are known."""
    sizes, own = sizes or sizes_of(layer), _regularisers.own_regularisers(layer)
    key = sizes, own is not None and own.layer_norm
    known = _cores.get(layer)
    if known is not None and known[0] == key:
        return known[1]
    core = _core.Recurrent(
        CELLS[sizes.mode],
        sizes.inputs,
        sizes.hidden,
        sizes.projection,
        sizes.layers,
        sizes.ways,
        sizes.bias,
        key[1],
    )
    _cores[layer] = key, core
    return core


def address(t: Tensor | None) -> int:
    """Say where a tensor is: 0 if there is none."""
    return 0 if t is None else t.data_ptr()


def dense(t: Tensor) -> Tensor:
    """Give a tensor whose rows have adjacent elements."""
    return t if t.stride(-1) == 1 or (t.shape[-1] == 1 and t.is_contiguous()) else t.contiguous()


def contiguous(t: Tensor | None) -> Tensor | None:
    """Give the tensor without gaps."""
    return None if t is None else t.contiguous()


class Call:
    """What of a call is not a tensor that PyTorch differentiates."""

    __slots__ = (
        "batch",
        "batch_first",
        "batch_sizes",
        "core",
        "f64",
        "factors",
        "layer",
        "own",
        "plan",
        "resets",
        "rows",
        "sizes",
        "steps",
    )

    def __init__(
        self,
        layer: nn.RNNBase,
        x: Tensor,
        steps: int,
        batch: int,
        batch_first: bool,
        batch_sizes: Tensor | None = None,
        resets: Tensor | None = None,
        training: bool = True,
    ) -> None:
        self.layer, self.sizes = layer, sizes_of(layer)
        self.core = core_of(layer, self.sizes)
        self.own = _regularisers.own_regularisers(layer)
        self.steps, self.batch, self.batch_first, self.batch_sizes = steps, batch, batch_first, batch_sizes
        self.resets = resets  # (T, N) of uint8
        # The shape of all outputs but its last size.
        self.rows = (steps, batch) if batch_sizes is None else (x.shape[0],)
        self.f64 = x.dtype is torch.float64
        self.plan = (
            self.core.call(self.f64, steps, batch, address(resets))
            if batch_sizes is None
            else self.core.packed_call(self.f64, x.shape[0], steps, batch_sizes.data_ptr())
        )
        self.factors = _regularisers.draw(self, x) if training and layer.training else []

    @property
    def zones(self) -> tuple[float, float]:
        """The shares of the old h and c that stay where there are no masks."""
        return (0.0, 0.0) if self.own is None else (self.own.zoneout_h, self.own.zoneout_c)

    def place(self, t: Tensor | None, batch_first: bool) -> tuple[int, int, int]:
        """Address, elements from step to step and from row to row; zeros if there is no tensor."""
        if t is None:
            return 0, 0, 0
        if self.batch_sizes is not None:
            return t.data_ptr(), 0, t.stride(0)
        if batch_first:
            return t.data_ptr(), t.stride(1), t.stride(0)
        return t.data_ptr(), t.stride(0), t.stride(1)

    def masks(self, factors: list[Tensor | None]) -> list[tuple[int, ...]]:
        """Give the addresses of the factors for the C++ side."""
        count = _regularisers.FACTORS
        return [
            tuple(address(f) for f in factors[first : first + count])
            for first in range(0, len(factors), count)
        ]


def compute(
    call: Call,
    x: Tensor,
    h_0: Tensor | None,
    c_0: Tensor | None,
    packed: _core.Packed,
    factors: list[Tensor | None],
    for_backward: bool,
) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
    """Output (T, N, D P), h_n, c_n, and the memory of the call."""
    sizes, empty = call.sizes, x.new_empty
    out = empty((*call.rows, sizes.width))
    h_n = empty((sizes.rows, call.batch, sizes.outputs))
    c_n = empty((sizes.rows, call.batch, sizes.hidden)) if sizes.has_memory else None
    masks = call.masks(factors)
    memory = empty((call.plan.memory(for_backward, masks, *call.zones),))
    call.plan.forward(
        packed,
        for_backward,
        call.place(x, call.batch_first),
        address(h_0),
        address(c_0),
        out.data_ptr(),
        h_n.data_ptr(),
        address(c_n),
        memory.data_ptr(),
        masks,
        *call.zones,
    )
    return out, h_n, c_n, memory


class Recurrent(torch.autograd.Function):
    """A recurrent layer: from x (T, N, I), h_0, c_0 and the weights to output, h_n and c_n."""

    @staticmethod
    def forward(
        ctx: Any, call: Call, x: Tensor, h_0: Tensor | None, c_0: Tensor | None, *weights: Tensor
    ) -> Any:
        packed = call.core.pack(call.f64, [w.data_ptr() for w in weights])
        out, h_n, c_n, memory = compute(call, x, h_0, c_0, packed, call.factors, True)
        ctx.call = call
        # Programs may change the output in place, as they may PyTorch's. Backward then computes it
        # again. Where hooks take what is saved, they get a copy of their own.
        ctx.states, ctx.version, kept = None, 0, None
        if _hooks_on(False) is None:
            ctx.states, ctx.version = out.detach(), out._version
        else:
            kept = out.clone()
        ctx.spent = False
        ctx.save_for_backward(x, h_0, c_0, kept, memory, *weights, *call.factors)
        ctx.weights = len(weights)
        # Of the packed weights backward reads those of layer normalisation.
        ctx.packed = packed if call.own is not None and call.own.layer_norm else None
        call.factors = []
        ctx.set_materialize_grads(False)
        return (out, h_n) if c_n is None else (out, h_n, c_n)

    @staticmethod
    def backward(ctx: Any, g_out: Tensor | None, g_h: Tensor | None, g_c: Tensor | None = None) -> Any:
        x, h_0, c_0, out, memory, *rest = ctx.saved_tensors
        weights, factors = rest[: ctx.weights], rest[ctx.weights :]
        call, needs = ctx.call, ctx.needs_input_grad
        grads = (g_out, g_h, g_c)
        # Of higher order, or many gradients at once: PyTorch's own operations know both.
        if grad_is_enabled() or functorch_is_active() or any(g is not None and _is_batched(g) for g in grads):
            return None, *_second.gradients(call, needs, x, h_0, c_0, weights, factors, grads)
        addresses = [w.data_ptr() for w in weights]
        if out is None:
            out = ctx.states
        if ctx.spent or (ctx.states is not None and ctx.states._version != ctx.version):
            packed = call.core.pack(call.f64, addresses)
            out, _, _, memory = compute(call, x, h_0, c_0, packed, factors, True)
        ctx.states, ctx.spent = None, True  # backward spoils its memory
        g_out = None if g_out is None else dense(g_out)
        g_h, g_c = contiguous(g_h), contiguous(g_c)
        new = torch.empty_like
        g_x = new(x) if needs[1] else None
        g_h_0 = new(h_0) if h_0 is not None and needs[2] else None
        g_c_0 = new(c_0) if c_0 is not None and needs[3] else None
        g_w = [new(w) if need else None for w, need in zip(weights, needs[4:], strict=True)]
        call.core.backward(
            call.plan,
            addresses,
            ctx.packed,
            call.place(x, call.batch_first),
            address(h_0),
            address(c_0),
            out.data_ptr(),
            memory.data_ptr(),
            call.masks(factors),
            *call.zones,
            call.place(g_out, False),
            address(g_h),
            address(g_c),
            call.place(g_x, call.batch_first),
            address(g_h_0),
            address(g_c_0),
            [address(g) for g in g_w],
        )
        return None, g_x, g_h_0, g_c_0, *g_w


def apply(call: Call, x: Tensor, h_0: Tensor | None, c_0: Tensor | None, weights: Any) -> Any:
    """Output, h_n and c_n, with a graph where one is wanted."""
    x, h_0, c_0 = dense(x), contiguous(h_0), contiguous(c_0)
    if grad_is_enabled() and any(t is not None and t.requires_grad for t in (x, h_0, c_0, *weights)):
        out, h_n, *c_n = Recurrent.apply(call, x, h_0, c_0, *weights)  # type: ignore[no-untyped-call]
        return out, h_n, c_n[0] if c_n else None
    packed = packed_weights(call.layer, call.core, call.f64, weights)
    return compute(call, x, h_0, c_0, packed, call.factors, False)[:3]


# Of layers whose weights don't change now: the packed weights, and whether they are f64.
frozen_weights: weakref.WeakKeyDictionary[nn.RNNBase, tuple[_core.Packed, bool]] = weakref.WeakKeyDictionary()
atexit.register(frozen_weights.clear)


def packed_weights(layer: nn.RNNBase, core: _core.Recurrent, f64: bool, weights: Any) -> _core.Packed:
    """Give the packed weights. They are packed again only if their fingerprint has changed."""
    if frozen_weights:
        frozen = frozen_weights.get(layer)
        if frozen is not None and frozen[1] == f64:
            return frozen[0]
    return core.current(f64, [w.data_ptr() for w in weights])
