"""What regularises the cells of a layer, and the random factors of a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unroll.errors import ArgumentError
from unroll.torch._sizes import readable

if TYPE_CHECKING:
    from unroll.torch._function import Call

Rates = float | tuple[float, float]
#: Of a layer and direction: of its input, state, candidate, and zones of h and c.
FACTORS = 5


@dataclass(frozen=True)
class Regularisers:
    """Probabilities from 0 to 1, as in include/unroll/nn/recurrent.h."""

    zoneout_h: float
    zoneout_c: float
    variational_input: float
    variational_state: float
    recurrent_dropout: float
    weight_drop: float
    layer_norm: bool

    @property
    def names(self) -> str:
        """The names of those that are on."""
        return ", ".join(name for name, value in vars(self).items() if value)


def own_regularisers(layer: nn.Module) -> Regularisers | None:
    """Give what regularises the cells of a layer, which may be PyTorch's."""
    own: Regularisers | None = getattr(layer, "_regularisers", None)
    return own


def _both(name: str, rates: Rates) -> tuple[float, float]:
    if isinstance(rates, (int, float)):
        return rates, rates
    if isinstance(rates, tuple) and len(rates) == 2:
        return rates
    raise ArgumentError(f"[unroll.torch] {name} is {rates!r}, expected a number, or a tuple of two")


def regularisers_of(
    mode: str,
    zoneout: Rates,
    variational_dropout: Rates,
    recurrent_dropout: float,
    weight_drop: float,
    layer_norm: bool,
) -> Regularisers | None:
    """Check the keywords of a constructor; None if all are off."""
    kind = mode.split("_")[0]
    zone = _both("zoneout", zoneout)
    if kind != "LSTM" and not isinstance(zoneout, tuple):
        zone = zone[0], 0.0
    variational = _both("variational_dropout", variational_dropout)
    made = Regularisers(*zone, *variational, recurrent_dropout, weight_drop, layer_norm)
    for name, value in vars(made).items():
        if not 0 <= value <= 1:
            raise ArgumentError(f"[{kind}] {name} is {value}, expected 0 to 1")
    if made.zoneout_c and kind != "LSTM":
        raise ArgumentError(f"[{kind}] zoneout_c is {made.zoneout_c}, but only an LSTM has a c")
    if made.recurrent_dropout and kind == "RNN":
        raise ArgumentError("[RNN] it has no candidate for recurrent_dropout; use variational_dropout")
    return made if made.names else None


def add_norms(layer: nn.RNNBase) -> None:
    """Add the children of layer normalisation, named as in Unroll's files."""
    weight: Any = layer._flat_weights[0]
    gates = weight.shape[0]
    for suffix in suffixes(layer):
        for part, size in _norms(layer, gates):
            norm = nn.LayerNorm(size, device=weight.device, dtype=weight.dtype)
            layer.add_module(f"layer_norm_{part}{suffix}", norm)


def _norms(layer: nn.RNNBase, gates: int) -> list[tuple[str, int]]:
    parts = [("ih", gates), ("hh", gates)]
    return [*parts, ("c", layer.hidden_size)] if layer.mode == "LSTM" else parts


def suffixes(layer: nn.RNNBase) -> list[str]:
    """Give the ends of the names of each layer and direction."""
    ways = ["", "_reverse"] if layer.bidirectional else [""]
    return [f"_l{index}{way}" for index in range(layer.num_layers) for way in ways]


def weights_with(layer: Any, own: Regularisers, flat: Sequence[Tensor]) -> list[Tensor]:
    """Give the weights of a call: with drops of W_hh, and those of layer normalisation."""
    all_suffixes = suffixes(layer)
    per = len(flat) // len(all_suffixes)
    weights: list[Tensor] = []
    for index, suffix in enumerate(all_suffixes):
        part = list(flat[index * per : (index + 1) * per])
        if own.weight_drop and layer.training:
            part[1] = nn.functional.dropout(part[1], own.weight_drop)
        if own.layer_norm:
            for name, size in _norms(layer, part[1].shape[0]):
                norm = getattr(layer, f"layer_norm_{name}{suffix}")
                part += [_checked(norm.weight, size, part[0]), _checked(norm.bias, size, part[0])]
        weights += part
    return weights


def _checked(w: Tensor, size: int, like: Tensor) -> Tensor:
    """Refuse a weight of layer normalisation that does not belong to the others."""
    if w.shape != (size,) or not readable(w, like.dtype):
        raise ArgumentError(
            f"[unroll.torch] a weight of layer normalisation is {tuple(w.shape)}, {w.dtype} on {w.device}, "
            f"expected {(size,)}, {like.dtype} on the CPU, without gaps"
        )
    return w


def _draw(x: Tensor, shape: Sequence[int], ones: float, one: float) -> Tensor:
    return x.new_empty(tuple(shape)).bernoulli_(ones).mul_(one)


def _dropout(x: Tensor, shape: Sequence[int], rate: float) -> Tensor | None:
    """Draw the factors keep / (1 - rate), as PyTorch does."""
    if rate == 0:
        return None
    return x.new_zeros(tuple(shape)) if rate == 1 else _draw(x, shape, 1 - rate, 1).div_(1 - rate)


def draw(call: Call, x: Tensor) -> list[Tensor | None]:
    """Draw the factors of a call in training mode, FACTORS of each layer and direction."""
    layer, sizes, own = call.layer, call.sizes, call.own
    between = layer.dropout if sizes.layers > 1 else 0
    if not between and own is None:
        return []
    factors: list[Tensor | None] = []
    for index in range(sizes.layers):
        size = sizes.inputs if index == 0 else sizes.width
        each_step = _dropout(x, (*call.rows, size), between if index > 0 else 0)
        for way in range(sizes.ways):
            first = each_step
            if own is None:
                factors += [first, None, None, None, None]
                continue
            if way == 0:
                first = each_step = _joined(
                    call, each_step, _dropout(x, (call.batch, size), own.variational_input)
                )
            zones = ((own.zoneout_h, sizes.outputs), (own.zoneout_c, sizes.hidden))
            factors += [
                first,
                _dropout(x, (call.batch, sizes.outputs), own.variational_state),
                _dropout(x, (*call.rows, sizes.hidden), own.recurrent_dropout),
                *(_draw(x, (*call.rows, n), p, 1) if p else None for p, n in zones),
            ]
    return factors


def _joined(call: Call, each_step: Tensor | None, all_steps: Tensor | None) -> Tensor | None:
    """Multiply factors of each step and factors (N, I) of all steps."""
    if all_steps is None:
        return each_step
    if call.batch_sizes is not None:
        rows = torch.cat([torch.arange(int(n)) for n in call.batch_sizes])
        all_steps = all_steps.index_select(0, rows)
    if each_step is not None:
        return each_step * all_steps
    return all_steps.expand(*call.rows, all_steps.shape[-1]).contiguous()
