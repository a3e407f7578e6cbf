"""Layers that change their class, and weights that don't change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import nn
from torch.nn.utils import parametrize

from unroll.errors import ArgumentError
from unroll.torch._function import core_of, frozen_weights
from unroll.torch._layers import REPLACEMENTS
from unroll.torch._regularisers import own_regularisers
from unroll.torch._sizes import readable, sizes_of, weights_fit, weights_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Model = TypeVar("Model", bound=nn.Module)
_originals = {ours: theirs for theirs, ours in REPLACEMENTS.items()}


def _modules(operation: str, model: nn.Module) -> Iterator[nn.Module]:
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"[{operation}] a {type(model).__name__} is given, expected a torch.nn.Module")
    return model.modules()


def _exchange(module: nn.Module, classes: dict[type[nn.Module], type[nn.Module]]) -> None:
    """Give a module the class that `classes` has for its own."""
    kind = type(module)
    if kind in classes:
        module.__class__ = classes[kind]
    # PyTorch makes a class for each parametrized module, such as one under weight norm.
    elif parametrize.is_parametrized(module) and kind.__bases__[0] in classes:
        kind.__bases__ = (classes[kind.__bases__[0]],)


def accelerate(model: Model) -> Model:
    """Let Unroll compute the recurrent layers of a model.

    Every torch.nn.RNN, LSTM and GRU in it changes its class, and nothing else. Parameters, their
    names, hooks and optimizers stay. Calls that Unroll does not compute go to PyTorch, with a
    warning that says why.

    Parameters
    ----------
    model : torch.nn.Module
        The model, which is changed. Subclasses of the layers stay as they are.

    Returns
    -------
    torch.nn.Module
        The same model.

    Examples
    --------
    >>> import torch, unroll.torch
    >>> model = torch.nn.Sequential(torch.nn.GRU(3, 4))
    >>> type(unroll.torch.accelerate(model)[0]) is unroll.torch.GRU
    True
    """
    for module in _modules("accelerate", model):
        _exchange(module, REPLACEMENTS)
    return model


def decelerate(model: Model) -> Model:
    """Let PyTorch compute the recurrent layers of a model again.

    Parameters
    ----------
    model : torch.nn.Module
        The model, which is changed. Layers that regularise their cells stay: PyTorch has none.

    Returns
    -------
    torch.nn.Module
        The same model.

    Examples
    --------
    >>> import torch, unroll.torch
    >>> type(unroll.torch.decelerate(unroll.torch.GRU(3, 4)))
    <class 'torch.nn.modules.rnn.GRU'>
    """
    for module in _modules("decelerate", model):
        if own_regularisers(module) is None:
            _exchange(module, _originals)
    return model


class frozen:
    """A context in which the weights of a model don't change.

    Without gradients each call compares the weights with those that Unroll has packed. In this
    context it does not, so that a single step of a large layer takes about half the time. Calls with
    gradients are as before.

    Parameters
    ----------
    model : torch.nn.Module
        The model, or a layer. Changes of its weights in the context have no effect until its end.

    Examples
    --------
    >>> import torch, unroll.torch
    >>> gru = unroll.torch.GRU(3, 4)
    >>> with torch.no_grad(), unroll.torch.frozen(gru):
    ...     out, h_n = gru(torch.zeros(1, 1, 3))
    """

    def __init__(self, model: nn.Module) -> None:
        self._layers: list[Any] = [
            m
            for m in _modules("frozen", model)
            if isinstance(m, tuple(REPLACEMENTS)) and own_regularisers(m) is None
        ]
        self._before: list[list[Any]] = []  # of each context around this one

    def __enter__(self) -> frozen:
        self._before.append([frozen_weights.get(layer) for layer in self._layers])
        for layer in self._layers:
            weights = weights_of(layer)
            dtype = weights[0].dtype
            f64 = dtype is torch.float64
            if (
                (f64 or dtype is torch.float32)
                and weights_fit(sizes_of(layer), weights)
                and all(readable(w, dtype) for w in weights)
            ):
                packed = core_of(layer).pack(f64, [w.data_ptr() for w in weights])
                frozen_weights[layer] = packed, f64
        return self

    def __exit__(self, *_: object) -> None:
        for layer, before in zip(self._layers, self._before.pop(), strict=True):
            if before is None:
                frozen_weights.pop(layer, None)
            else:
                frozen_weights[layer] = before
