"""torch.nn.RNN, LSTM and GRU, computed by Unroll."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from unroll.errors import ArgumentError
from unroll.torch._function import (
    Call,
    address,
    apply,
    core_of,
    frozen_weights,
    grad_is_enabled,
)
from unroll.torch._reasons import something_is_on, warn, why_not
from unroll.torch._regularisers import Rates, Regularisers, add_norms, regularisers_of, weights_with
from unroll.torch._sizes import readable, sizes_of, weights_fit

_F32, _F64 = torch.float32, torch.float64
# A step of more rows than this runs on all threads.
FEW_ROWS = 16


class _Layer:
    """What the three share: forward. All else stays PyTorch's."""

    _regularisers: Regularisers | None = None  # of layers that accelerate() made

    def __init__(
        self,
        *arguments: Any,
        zoneout: Rates = 0.0,
        variational_dropout: Rates = 0.0,
        recurrent_dropout: float = 0.0,
        weight_drop: float = 0.0,
        layer_norm: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._regularisers = regularisers_of(
            self.mode,  # type: ignore[attr-defined]
            zoneout,
            variational_dropout,
            recurrent_dropout,
            weight_drop,
            layer_norm,
        )
        if layer_norm:
            add_norms(self)  # type: ignore[arg-type]

    def forward(self: Any, input: Any, hx: Any = None) -> Any:
        """Compute the outputs and the final states, as the layer of torch.nn does."""
        if type(hx) is list:
            hx = tuple(hx)
        if not grad_is_enabled() and type(input) is Tensor and input.dim() == 3:
            done = _quick_step(self, input, hx)
            if done is not None:
                return done
        reason = why_not(self, input, hx)
        own = self._regularisers
        if reason is not None:
            if own is not None:
                raise ArgumentError(f"[unroll.torch] {reason}; PyTorch has no layer with {own.names} instead")
            warn(self, reason)
            return super().forward(input, hx)  # type: ignore[misc]
        done = _packed(self, input, hx) if type(input) is PackedSequence else _padded(self, input, hx)
        # Where shapes don't fit, PyTorch says so.
        return super().forward(input, hx) if done is None else done  # type: ignore[misc]


def _weights(layer: Any) -> Any:
    """Give the weights of a call. why_not has brought them up to date."""
    own, flat = layer._regularisers, layer._flat_weights
    return flat if own is None else weights_with(layer, own, flat)


def states_of(layer: nn.RNNBase, hx: Any, batch: int) -> tuple[Tensor | None, Tensor | None] | None:
    """Give h_0 and c_0, or None if their shapes don't fit."""
    if hx is None:
        return None, None
    sizes = sizes_of(layer)
    shape = sizes.rows, batch, sizes.outputs
    if sizes.has_memory:
        fits = (
            type(hx) is tuple
            and len(hx) == 2
            and hx[0].shape == shape
            and hx[1].shape == (sizes.rows, batch, sizes.hidden)
        )
        return hx if fits else None
    fits = type(hx) is not tuple and hx.shape == shape
    return (hx, None) if fits else None


def _of_one(state: Any, lstm: bool) -> Any:
    """Give the state of a batch of one; None if it isn't the state of a sequence without a batch."""
    if lstm:
        if type(state) is not tuple or len(state) != 2 or state[0].dim() != 2 or state[1].dim() != 2:
            return None
        return state[0].unsqueeze(1), state[1].unsqueeze(1)
    return None if type(state) is tuple or state.dim() != 2 else state.unsqueeze(1)


def _padded(layer: nn.RNNBase, input: Tensor, hx: Any) -> Any:
    """Compute (T, N, I), (N, T, I) or (T, I)."""
    lstm, batch_first = layer.mode == "LSTM", layer.batch_first
    alone = input.dim() == 2
    x = input
    if alone:
        x = input.unsqueeze(0 if batch_first else 1)
        if hx is not None:
            hx = _of_one(hx, lstm)
            if hx is None:
                return None
    elif input.dim() != 3:
        return None
    batch, steps = (x.shape[0], x.shape[1]) if batch_first else (x.shape[1], x.shape[0])
    states = states_of(layer, hx, batch)
    if states is None or x.shape[2] != layer.input_size or x.numel() == 0:
        return None
    call = Call(layer, x, steps, batch, batch_first)
    out, h_n, c_n = apply(call, x, *states, _weights(layer))
    if batch_first:
        out = out.transpose(0, 1)
    if alone:
        out = out.squeeze(0 if batch_first else 1)
        h_n = h_n.squeeze(1)
        c_n = c_n.squeeze(1) if lstm else None
    return out, ((h_n, c_n) if lstm else h_n)


def _packed(layer: nn.RNNBase, input: PackedSequence, hx: Any) -> Any:
    """Compute a PackedSequence, whose rows are read and written where they are."""
    data, sizes, order, back = input
    if not readable(sizes, torch.int64):
        return None
    if data.dim() != 2 or data.shape[1] != layer.input_size or data.numel() == 0:
        return None
    states = states_of(layer, hx, int(sizes[0]))
    if states is None:
        return None
    h_0, c_0 = (s if s is None or order is None else s.index_select(1, order) for s in states)
    call = Call(layer, data, len(sizes), int(sizes[0]), False, sizes)
    out, h_n, c_n = apply(call, data, h_0, c_0, _weights(layer))
    if back is not None:
        h_n = h_n.index_select(1, back)
        c_n = None if c_n is None else c_n.index_select(1, back)
    result = PackedSequence(out, sizes, order, back)
    return result, ((h_n, c_n) if layer.mode == "LSTM" else h_n)


def _quick_step(layer: Any, x: Tensor, hx: Any) -> Any:
    """Compute one time step without gradients, the shortest way; None where that is not it."""
    own = layer.__dict__
    batch_first = own["batch_first"]
    steps, batch, size = x.shape
    if batch_first:
        steps, batch = batch, steps
    dtype = x.dtype
    if (
        steps != 1
        or batch > FEW_ROWS
        or batch == 0
        or own["bidirectional"]
        or own.get("_regularisers") is not None
        or own["proj_size"]
        or size != own["input_size"]
        or (own["training"] and own["dropout"])
        or not (dtype is _F32 or dtype is _F64)
        or not x.is_cpu
        or x.stride(2) != 1
        or x.is_neg()
        or something_is_on()
    ):
        return None
    lstm = own["mode"] == "LSTM"
    if lstm and hx is not None and (type(hx) is not tuple or len(hx) != 2):
        return None
    shape = (own["num_layers"], batch, own["hidden_size"])
    h = c = 0
    if hx is not None:
        for state in hx if lstm else (hx,):
            if (
                type(state) is not Tensor
                or state.shape != shape
                or not readable(state, dtype)
                or state.is_neg()
            ):
                return None
        h, c = (hx[0].data_ptr(), hx[1].data_ptr()) if lstm else (hx.data_ptr(), 0)
    sizes, f64 = sizes_of(layer), dtype is _F64
    core = core_of(layer, sizes)
    frozen = frozen_weights.get(layer) if frozen_weights else None
    if frozen is not None and frozen[1] == f64:
        packed = frozen[0]
    else:
        addresses, parameters = [], own["_parameters"]
        for name, w in zip(own["_flat_weights_names"], own["_flat_weights"], strict=True):
            if parameters.get(name) is not w or type(w) is not nn.Parameter or not readable(w, dtype):
                return None
            addresses.append(w.data_ptr())
        if not weights_fit(sizes, own["_flat_weights"]):
            return None
        packed = core.current(f64, addresses)
    h_n = x.new_empty(shape)
    c_n = x.new_empty(shape) if lstm else None
    out = x.new_empty((batch, 1, shape[2]) if batch_first else (1, batch, shape[2]))
    core.step(
        f64,
        packed,
        batch,
        x.data_ptr(),
        x.stride(0 if batch_first else 1),
        h,
        c,
        h_n.data_ptr(),
        address(c_n),
        out.data_ptr(),
    )
    return out, ((h_n, c_n) if lstm else h_n)


class RNN(_Layer, nn.RNN):
    """torch.nn.RNN, computed by Unroll.

    The constructor, the parameters and the numbers are those of torch.nn.RNN. It takes these keywords
    too, which regularise the cell:

    Parameters
    ----------
    zoneout : float or tuple of two floats
        The probability that a unit keeps its old h (Krueger et al. 2017).
    variational_dropout : float or tuple of two floats
        The probability that an input, and a unit of the state, is dropped at all steps (Gal 2016).
    weight_drop : float
        The probability that a weight of weight_hh is dropped (Merity et al. 2017).
    layer_norm : bool
        Layer normalisation of both products (Ba et al. 2016). Its parameters are children.

    Examples
    --------
    >>> import torch, unroll.torch
    >>> rnn = unroll.torch.RNN(3, 4, nonlinearity="relu")
    >>> out, h_n = rnn(torch.zeros(5, 2, 3))
    >>> out.shape, h_n.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """


class LSTM(_Layer, nn.LSTM):
    """torch.nn.LSTM, computed by Unroll.

    The constructor, the parameters and the numbers are those of torch.nn.LSTM. It takes these keywords
    too, which regularise the cell:

    Parameters
    ----------
    zoneout : float or tuple of two floats
        The probability that a unit keeps its old h, and its old c (Krueger et al. 2017).
    variational_dropout : float or tuple of two floats
        The probability that an input, and a unit of the state, is dropped at all steps (Gal 2016).
    recurrent_dropout : float
        The probability that a candidate is dropped (Semeniuta et al. 2016).
    weight_drop : float
        The probability that a weight of weight_hh is dropped (Merity et al. 2017).
    layer_norm : bool
        Layer normalisation of both products and of c (Ba et al. 2016). Its parameters are children.

    Examples
    --------
    >>> import torch, unroll.torch
    >>> lstm = unroll.torch.LSTM(3, 4, batch_first=True, bidirectional=True)
    >>> out, (h_n, c_n) = lstm(torch.zeros(2, 5, 3))
    >>> out.shape, c_n.shape
    (torch.Size([2, 5, 8]), torch.Size([2, 2, 4]))
    """


class GRU(_Layer, nn.GRU):
    """torch.nn.GRU, computed by Unroll.

    The constructor, the parameters and the numbers are those of torch.nn.GRU. It takes these keywords
    too, which regularise the cell:

    Parameters
    ----------
    zoneout : float or tuple of two floats
        The probability that a unit keeps its old h (Krueger et al. 2017).
    variational_dropout : float or tuple of two floats
        The probability that an input, and a unit of the state, is dropped at all steps (Gal 2016).
    recurrent_dropout : float
        The probability that a candidate is dropped (Semeniuta et al. 2016).
    weight_drop : float
        The probability that a weight of weight_hh is dropped (Merity et al. 2017).
    layer_norm : bool
        Layer normalisation of both products (Ba et al. 2016). Its parameters are children.

    Examples
    --------
    >>> import torch, unroll.torch
    >>> gru = unroll.torch.GRU(3, 4, num_layers=2)
    >>> out, h_n = gru(torch.zeros(5, 2, 3))
    >>> out.shape, h_n.shape
    (torch.Size([5, 2, 4]), torch.Size([2, 2, 4]))
    """


#: The layers of torch.nn and those that replace them.
REPLACEMENTS: dict[type[nn.Module], type[nn.Module]] = {nn.RNN: RNN, nn.LSTM: LSTM, nn.GRU: GRU}
