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
    sizes, higher = call.sizes, torch.is_grad_enabled()
    if call.own is not None:
        raise RuntimeError(f"[unroll.torch] a layer with {call.own.names} has no derivatives of higher order")
    with torch.enable_grad():
        first = x.transpose(0, 1) if call.batch_first and call.batch_sizes is None else x
        hx: Any = x.new_zeros(sizes.rows, call.batch, sizes.outputs) if h_0 is None else h_0
        if sizes.has_memory:
            hx = (hx, x.new_zeros(sizes.rows, call.batch, sizes.hidden) if c_0 is None else c_0)
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


def restarted(hx: Any, begins: Tensor) -> Any:
    """Give the states with zeros for the sequences (N,) that begin again."""
    mask = (begins != 0).view(1, -1, 1)
    return tuple(s.masked_fill(mask, 0) for s in hx) if type(hx) is tuple else hx.masked_fill(mask, 0)


def _layers(
    call: Call, x: Tensor, hx: Any, weights: list[Tensor], factors: list[Tensor | None]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Run the layers one by one, with the dropout of this call."""
    sizes = call.sizes
    run = getattr(torch._VF, sizes.mode.lower())
    per = len(weights) // sizes.layers
    h_n: list[Tensor] = []
    c_n: list[Tensor] = []
    for index in range(sizes.layers):
        dropout = factors[index * sizes.ways * FACTORS] if factors else None
        if dropout is not None:
            x = x * dropout
        of = slice(index * sizes.ways, (index + 1) * sizes.ways)
        state = (hx[0][of], hx[1][of]) if sizes.has_memory else hx[of]
        w = weights[index * per : (index + 1) * per]
        # Not oneDNN's, which has no second derivative.
        with torch.backends.mkldnn.flags(enabled=False):
            if call.batch_sizes is None:
                x, *last = run(x, state, w, sizes.bias, 1, 0.0, False, sizes.bidirectional, False)
            else:
                x, *last = run(x, call.batch_sizes, state, w, sizes.bias, 1, 0.0, False, sizes.bidirectional)
        h_n.append(last[0])
        c_n += last[1:]
    return x, torch.cat(h_n), torch.cat(c_n) if c_n else None


def _steps(
    call: Call, x: Tensor, hx: Any, weights: list[Tensor], factors: list[Tensor | None]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Run the layers step by step, because episodes end inside."""
    assert call.resets is not None
    outputs = []
    for t in range(call.steps):
        hx = restarted(hx, call.resets[t])
        out, h_n, c_n = _layers(call, x[t : t + 1], hx, weights, factors)
        hx = h_n if c_n is None else (h_n, c_n)
        outputs.append(out)
    return torch.cat(outputs), h_n, c_n
