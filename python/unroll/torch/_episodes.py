"""Reinforcement learning: sequences in which episodes end, and one step after another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from unroll.errors import ArgumentError, ShapeError
from unroll.torch._function import Call, address, apply, compute, core_of, packed_weights
from unroll.torch._layers import FEW_ROWS, states_of
from unroll.torch._reasons import warn, why_not
from unroll.torch._regularisers import own_regularisers, weights_with
from unroll.torch._second import restarted
from unroll.torch._sizes import check_layer, readable, sizes_of, weights_fit, weights_of


def sequences(layer: nn.RNNBase, x: Tensor, hx: Any = None, resets: Any = None) -> Any:
    """Compute sequences in which episodes end, in one call instead of a loop over the steps.

    Parameters
    ----------
    layer : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
        The layer, of one direction. It need not be accelerated. Its hooks are not called.
    x : Tensor
        The inputs, (T, N, I); (N, T, I) if the layer has batch_first.
    hx : Tensor or tuple of two tensors, optional
        The state before the first step, as in a call of the layer.
    resets : array, optional
        (T, N), or (N, T) if the layer has batch_first. Not 0 where an episode begins: the state
        before that step is zeros. None: nowhere.

    Returns
    -------
    tuple
        Output and final state, as in a call of the layer.

    Examples
    --------
    >>> import torch, unroll.torch
    >>> lstm = unroll.torch.LSTM(3, 4)
    >>> x, begins = torch.ones(6, 1, 3), torch.zeros(6, 1)
    >>> begins[3] = 1
    >>> out, (h, c) = unroll.torch.sequences(lstm, x, resets=begins)
    >>> torch.equal(out[:3], out[3:])
    True
    """
    check_layer("sequences", layer)
    if not isinstance(x, Tensor) or x.dim() != 3 or x.numel() == 0:
        given = tuple(x.shape) if isinstance(x, Tensor) else f"a {type(x).__name__}"
        raise ShapeError(
            f"[sequences] x is {given}, expected a Tensor (T, N, I), or (N, T, I) with batch_first"
        )
    if isinstance(hx, list):
        hx = tuple(hx)
    if isinstance(hx, Tensor) and hx.dim() == 2:
        raise ShapeError(
            f"[sequences] hx has shape {tuple(hx.shape)}, expected the state (L, N, H); "
            "flags of episodes are resets="
        )
    flags = torch.zeros(x.shape[:2]) if resets is None else torch.as_tensor(resets)
    if flags.shape != x.shape[:2]:
        raise ShapeError(
            f"[sequences] resets have shape {tuple(flags.shape)}, expected {tuple(x.shape[:2])}: "
            "a flag for each step of each sequence"
        )
    if layer.bidirectional:
        raise ArgumentError("[sequences] the layer is bidirectional; episodes go forward in time only")
    begins = (flags != 0).cpu()
    if layer.batch_first:
        begins = begins.t()
    steps, batch = begins.shape
    own = own_regularisers(layer)
    if own is not None and layer.training:
        raise ArgumentError(f"[sequences] the layer has {own.names}, which need whole sequences in training")
    reason = why_not(layer, x, hx)
    states = states_of(layer, hx, batch)
    if reason is None and layer.training and layer.dropout > 0 and layer.num_layers > 1:
        reason = "sequences() with dropout between layers"
    if reason is not None or states is None or x.shape[2] != layer.input_size:
        if reason is not None:
            warn(layer, reason)
        return _loop(layer, x, hx, begins)
    call = Call(layer, x, steps, batch, layer.batch_first, resets=begins.to(torch.uint8).contiguous())
    flat = weights_of(layer)
    out, h_n, c_n = apply(call, x, *states, flat if own is None else weights_with(layer, own, flat))
    if layer.batch_first:
        out = out.transpose(0, 1)
    return out, (h_n if c_n is None else (h_n, c_n))


def _loop(layer: nn.RNNBase, x: Tensor, hx: Any, begins: Tensor) -> Any:
    """Compute the same step by step, as PyTorch's programs do."""
    axis = 1 if layer.batch_first else 0
    outputs = []
    for t, begin in enumerate(begins.to(x.device)):
        if hx is not None:
            hx = restarted(hx, begin)
        out, hx = layer(x.narrow(axis, t, 1), hx)
        outputs.append(out)
    return torch.cat(outputs, axis), hx


class Stepper:
    """Sequences that go on step by step, and keep their state. No gradients.

    Parameters
    ----------
    layer : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
        The layer, of one direction, on the CPU. Its weights may change between steps. Its hooks are
        not called, and it has no dropout here.
    batch : int
        N, the number of sequences.

    Examples
    --------
    >>> import torch, unroll.torch
    >>> lstm = unroll.torch.LSTM(3, 4)
    >>> step = unroll.torch.Stepper(lstm, batch=2)
    >>> step(torch.ones(2, 3)).shape
    torch.Size([2, 4])
    >>> step.reset(torch.tensor([True, False]))
    >>> step.state[0][0, 0]
    tensor([0., 0., 0., 0.])
    """

    def __init__(self, layer: nn.RNNBase, batch: int = 1) -> None:
        check_layer("stepper", layer)
        weight = weights_of(layer)[0]
        if layer.bidirectional:
            raise ArgumentError("[stepper] the layer is bidirectional; steps go forward in time only")
        if not weight.is_cpu or weight.dtype not in (torch.float32, torch.float64):
            raise ArgumentError(
                f"[stepper] the weights are {weight.dtype} on {weight.device}, "
                "expected float32 or float64 on the CPU"
            )
        if batch < 1:
            raise ArgumentError(f"[stepper] batch is {batch}, expected at least 1")
        self._layer, self._core, self._batch = layer, core_of(layer), batch
        self._dtype, self._f64 = weight.dtype, weight.dtype is torch.float64
        sizes = sizes_of(layer)
        self._c: Tensor | None = None
        with torch.inference_mode(False):  # so that it can be written to everywhere
            self._h = torch.zeros(sizes.layers, batch, sizes.outputs, dtype=self._dtype)
            self._next_h = torch.empty_like(self._h)
            if sizes.has_memory:
                self._c = torch.zeros(sizes.layers, batch, sizes.hidden, dtype=self._dtype)

    def __call__(self, x: Tensor) -> Tensor:
        """Take the next step of every sequence.

        Parameters
        ----------
        x : Tensor
            The inputs of the step, (N, I).

        Returns
        -------
        Tensor
            The outputs of the last layer, (N, H), or (N, P) with a projection.

        Examples
        --------
        >>> import torch, unroll.torch
        >>> step = unroll.torch.Stepper(torch.nn.LSTM(3, 4, proj_size=2), batch=5)
        >>> step(torch.ones(5, 3)).shape
        torch.Size([5, 2])
        """
        layer = self._layer
        if x.shape != (self._batch, layer.input_size) or x.dtype is not self._dtype or not x.is_cpu:
            raise ShapeError(
                f"[stepper] the input is {tuple(x.shape)}, {x.dtype} on {x.device}, "
                f"expected {(self._batch, layer.input_size)}, {self._dtype} on the CPU"
            )
        x = x.contiguous()
        weights = weights_of(layer)
        if not all(readable(w, self._dtype) for w in weights):
            raise ArgumentError("[stepper] the weights have moved or changed their type; make a new Stepper")
        if not weights_fit(sizes_of(layer), weights) or core_of(layer) is not self._core:
            raise ArgumentError("[stepper] the layer has other sizes than before; make a new Stepper")
        own = own_regularisers(layer)
        if own is not None:
            weights = weights_with(layer, replace(own, weight_drop=0.0), weights)
        packed = packed_weights(layer, self._core, self._f64, weights)
        if self._batch > FEW_ROWS or own is not None:  # on all threads
            call = Call(layer, x, 1, self._batch, False, training=False)
            with torch.no_grad():
                out, h_n, c_n, _ = compute(call, x.unsqueeze(0), self._h, self._c, packed, [], False)
                self._h.copy_(h_n)
                if self._c is not None and c_n is not None:
                    self._c.copy_(c_n)
            return out[0]
        out = torch.empty(self._batch, self._h.shape[2], dtype=self._dtype)
        c = address(self._c)
        self._core.step(
            self._f64,
            packed,
            self._batch,
            x.data_ptr(),
            layer.input_size,
            self._h.data_ptr(),
            c,
            self._next_h.data_ptr(),
            c,
            out.data_ptr(),
        )
        self._h, self._next_h = self._next_h, self._h
        return out

    def reset(self, done: Any = None) -> None:
        """Set sequences to their initial state, zeros.

        Parameters
        ----------
        done : array, optional
            (N,), not 0 for the sequences that begin again. All of them if it is not given.

        Examples
        --------
        >>> import torch, unroll.torch
        >>> step = unroll.torch.Stepper(torch.nn.GRU(3, 4), batch=2)
        >>> first = step(torch.ones(2, 3))
        >>> step.reset()
        >>> torch.equal(step(torch.ones(2, 3)), first)
        True
        """
        mask = torch.ones(self._batch) if done is None else torch.as_tensor(done)
        if mask.shape != (self._batch,):
            raise ShapeError(f"[stepper] done has shape {tuple(mask.shape)}, expected ({self._batch},)")
        begins = (mask != 0).view(1, -1, 1)
        self._h.masked_fill_(begins, 0)
        if self._c is not None:
            self._c.masked_fill_(begins, 0)

    @property
    def state(self) -> Any:
        """The state after the last step, as a layer takes it: h (L, N, H), or (h, c) of an LSTM.

        Reading it makes a copy, and so does setting it.

        Examples
        --------
        >>> import torch, unroll.torch
        >>> step = unroll.torch.Stepper(torch.nn.LSTM(3, 4), batch=2)
        >>> h, c = step.state
        >>> step.state = torch.ones_like(h), c
        """
        return self._h.clone() if self._c is None else (self._h.clone(), self._c.clone())

    @state.setter
    def state(self, value: Any) -> None:
        given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
        own = (self._h,) if self._c is None else (self._h, self._c)
        shapes = [tuple(g.shape) if isinstance(g, Tensor) else type(g).__name__ for g in given]
        if shapes != [tuple(o.shape) for o in own]:
            raise ShapeError(
                f"[stepper] the state has the shapes {shapes}, expected {[tuple(o.shape) for o in own]}"
            )
        for g, o in zip(given, own, strict=True):
            o.copy_(g.detach())

    def copy(self) -> Stepper:
        """Branch: the same layer, with a state of its own.

        Returns
        -------
        Stepper
            The copy.

        Examples
        --------
        >>> import torch, unroll.torch
        >>> step = unroll.torch.Stepper(torch.nn.GRU(3, 4))
        >>> other = step.copy()
        >>> torch.equal(other(torch.ones(1, 3)), step(torch.ones(1, 3)))
        True
        """
        other = Stepper(self._layer, self._batch)
        other.state = self.state
        return other
