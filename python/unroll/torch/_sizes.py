"""The sizes of a layer, and its weights."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import nn

from unroll.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch


class Sizes(NamedTuple):
    """All that determines the weights of a layer."""

    mode: str
    inputs: int
    hidden: int
    projection: int
    layers: int
    bidirectional: bool
    bias: bool

    @property
    def has_memory(self) -> bool:
        """Whether the state has a c."""
        return self.mode == "LSTM"

    @property
    def ways(self) -> int:
        """The number of directions, D."""
        return 2 if self.bidirectional else 1

    @property
    def rows(self) -> int:
        """The number of states, L D."""
        return self.layers * self.ways

    @property
    def outputs(self) -> int:
        """The size of h, P."""
        return self.projection or self.hidden

    @property
    def width(self) -> int:
        """The size of all outputs of a step, D P."""
        return self.ways * self.outputs


def sizes_of(layer: nn.RNNBase) -> Sizes:
    """Give the sizes as they are now: a program may change these attributes."""
    return Sizes(
        layer.mode,
        layer.input_size,
        layer.hidden_size,
        layer.proj_size,
        layer.num_layers,
        layer.bidirectional,
        layer.bias,
    )


@functools.lru_cache(maxsize=1024)
def _shapes_of(sizes: Sizes) -> tuple[tuple[int, ...], ...]:
    """Give the shapes of the weights, in PyTorch's order."""
    gates = {"LSTM": 4, "GRU": 3}.get(sizes.mode, 1) * sizes.hidden
    shapes: list[tuple[int, ...]] = []
    for index in range(sizes.rows):
        shapes += [(gates, sizes.inputs if index < sizes.ways else sizes.width), (gates, sizes.outputs)]
        shapes += [(gates,), (gates,)] if sizes.bias else []
        shapes += [(sizes.projection, sizes.hidden)] if sizes.projection else []
    return tuple(shapes)


def weights_of(layer: nn.RNNBase) -> Sequence[Any]:
    """Give the weights in PyTorch's order, as they are now."""
    own, flat = layer._parameters, layer._flat_weights
    for name, weight in zip(layer._flat_weights_names, flat, strict=True):
        if own.get(name) is not weight:  # parametrized, functional_call, DataParallel's replicas
            layer._update_flat_weights()
            return layer._flat_weights
    return flat


def weights_fit(sizes: Sizes, weights: Sequence[Any]) -> bool:
    """Say whether the weights have the shapes that these sizes ask for."""
    shapes = _shapes_of(sizes)
    return len(weights) == len(shapes) and all(
        w.shape == shape for w, shape in zip(weights, shapes, strict=True)
    )


def readable(t: Any, dtype: torch.dtype) -> bool:
    """Say whether Unroll can read a tensor of this type where it is: on the CPU, without gaps."""
    return t.dtype is dtype and t.is_cpu and t.is_contiguous()  # type: ignore[no-any-return]


def check_layer(operation: str, layer: object) -> None:
    """Refuse what is not a recurrent layer, such as the model around it."""
    if not isinstance(layer, nn.RNNBase):
        raise ArgumentError(
            f"[{operation}] a {type(layer).__name__} is given, expected a torch.nn.RNN, LSTM or GRU: "
            "give the recurrent layer of the model"
        )
