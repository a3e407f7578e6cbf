"""Derivatives of higher order, by PyTorch's own operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from unroll.torch._regularisers import FACTORS

if TYPE_CHECKING:
    from unroll.torch._function import Call


def gradients(
    call: Call,
    needs: Any,
    x: Tensor,
    h_0: Tensor | None,
    c_0: Tensor | None,
    weights: list[Tensor],
    factors: list[Tensor | None],
    grads: tuple[Tensor | None, ...],
) -> list[Tensor | None]:
    """Differentiate by x, h_0, c_0 and the weights, with a graph for more derivatives."""
    layer, higher = call.layer, torch.is_grad_enabled()
    own = getattr(layer, "_regularisers", None)
    if own is not None:
        raise RuntimeError(f"[unroll.torch] a layer with {own.names} has no derivatives of higher order")
    with torch.enable_grad():
        first = x.transpose(0, 1) if call.batch_first and call.batch_sizes is None else x
        rows = layer.num_layers * (2 if layer.bidirectional else 1)
        hx: Any = h_0
        if h_0 is None:
            hx = x.new_zeros(rows, call.batch, layer.proj_size or layer.hidden_size)
        if layer.mode == "LSTM":
            hx = (hx, x.new_zeros(rows, call.batch, layer.hidden_size) if c_0 is None else c_0)
        outputs = (_steps if call.resets is not None else _layers)(call, first, hx, weights, factors)
        inputs = [x, h_0, c_0, *weights]
        wanted = [t for t, need in zip(inputs, needs[1:], strict=True) if need and t is not None]
        pairs = [(o, g) for o, g in zip(outputs, grads, strict=True) if o is not None and g is not None]
        got = iter(
            torch.autograd.grad(
                [o for o, _ in pairs], wanted, [g for _, g in pairs], create_graph=higher, allow_unused=True
            )
        )
        return [
            next(got) if need and t is not None else None for t, need in zip(inputs, needs[1:], strict=True)
        ]


def _layers(
    call: Call, x: Tensor, hx: Any, weights: list[Tensor], factors: list[Tensor | None]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Run the layers one by one, with the dropout of this call."""
    layer = call.layer
    run = getattr(torch._VF, layer.mode.lower())
    ways = 2 if layer.bidirectional else 1
    per = len(weights) // layer.num_layers
    h_n: list[Tensor] = []
    c_n: list[Tensor] = []
    for index in range(layer.num_layers):
        dropout = factors[index * ways * FACTORS] if factors else None
        if dropout is not None:
            x = x * dropout
        of = slice(index * ways, (index + 1) * ways)
        state = (hx[0][of], hx[1][of]) if layer.mode == "LSTM" else hx[of]
        w = weights[index * per : (index + 1) * per]
        # Not oneDNN's, which has no second derivative.
        with torch.backends.mkldnn.flags(enabled=False):
            if call.batch_sizes is None:
                x, *last = run(x, state, w, layer.bias, 1, 0.0, False, layer.bidirectional, False)
            else:
                x, *last = run(x, call.batch_sizes, state, w, layer.bias, 1, 0.0, False, layer.bidirectional)
        h_n.append(last[0])
        c_n += last[1:]
    return x, torch.cat(h_n), torch.cat(c_n) if c_n else None


def _steps(
    call: Call, x: Tensor, hx: Any, weights: list[Tensor], factors: list[Tensor | None]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Run the layers step by step, because episodes end inside."""
    assert call.resets is not None
    outputs = []
    lstm = call.layer.mode == "LSTM"
    for t in range(call.steps):
        begins = (call.resets[t] != 0).view(1, -1, 1)
        hx = tuple(s.masked_fill(begins, 0) for s in hx) if lstm else hx.masked_fill(begins, 0)
        out, *last = _layers(call, x[t : t + 1], hx, weights, factors)
        hx = tuple(last) if lstm else last[0]
        outputs.append(out)
    return torch.cat(outputs), *((hx[0], hx[1]) if lstm else (hx, None))
