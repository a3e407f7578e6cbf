"""When a call is PyTorch's, and why."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn
from torch.autograd import forward_ad
from torch.nn.utils.rnn import PackedSequence

from unroll.torch._sizes import check_layer, readable, sizes_of, weights_fit, weights_of


def _no() -> bool:
    return False


def _query(name: str, absent: Any = _no) -> Any:
    """Find a private query of PyTorch; `absent` in versions that lack it."""
    return getattr(torch._C, name, absent)


functorch_is_active = _query("_are_functorch_transforms_active")
_modes = _query("_len_torch_dispatch_stack")
_functions = _query("_len_torch_function_stack")
_tracing = _query("_get_tracing_state", lambda: None)
_compiling = torch.compiler.is_compiling
_autocast = torch.is_autocast_enabled
_plain = (torch.Tensor, nn.Parameter)
_warned: set[str] = set()


def something_is_on() -> bool:
    """Say whether any of the modes is on that `why_not` names."""
    return bool(
        _tracing() is not None
        or _compiling()
        or functorch_is_active()
        or forward_ad._current_level >= 0
        or _autocast("cpu")
        or _modes()
        or _functions()
    )


def _mode() -> str | None:
    if _tracing() is not None:
        return "torch.jit traces the model"
    if _compiling():
        return "the model is being compiled"
    if functorch_is_active():
        return "torch.func transforms the call"
    if forward_ad._current_level >= 0:
        return "differentiation is in forward mode"
    if _autocast("cpu"):
        return "autocast is on"
    return "a mode of torch.overrides or torch.utils._python_dispatch is on"


def _states(hx: Any) -> tuple[Any, ...]:
    return tuple(hx) if isinstance(hx, (tuple, list)) else (hx,)


def why_not(layer: nn.RNNBase, input: Any, hx: Any = None) -> str | None:
    """Why PyTorch computes a call of a layer, instead of Unroll.

    Parameters
    ----------
    layer : torch.nn.RNN, torch.nn.LSTM or torch.nn.GRU
        The layer. It need not be accelerated.
    input : Tensor or PackedSequence
        The input of the call.
    hx : Tensor or tuple of two tensors, optional
        The initial state of the call.

    Returns
    -------
    str or None
        The reason, or None where Unroll computes the call.

    Examples
    --------
    >>> import torch, unroll.torch
    >>> gru = unroll.torch.GRU(3, 4)
    >>> unroll.torch.why_not(gru, torch.zeros(5, 2, 3))
    >>> unroll.torch.why_not(gru, torch.zeros(5, 2, 3, dtype=torch.bfloat16))
    'the input is torch.bfloat16'
    """
    check_layer("why_not", layer)
    data = input.data if type(input) is PackedSequence else input
    if type(data) not in _plain:
        return f"the input is a {type(data).__name__}"
    dtype = data.dtype
    if dtype is not torch.float32 and dtype is not torch.float64:
        return f"the input is {dtype}"
    if not data.is_cpu or data.layout is not torch.strided:
        return f"the input is {data.layout} on {data.device}"
    if data.is_neg() or any(isinstance(s, torch.Tensor) and s.is_neg() for s in _states(hx)):
        return "a tensor is a view that negates its numbers"
    if something_is_on():
        return _mode()
    weights = weights_of(layer)
    for w in weights:
        if type(w) not in _plain or not readable(w, dtype):
            return "the weights have another type, device or layout than the input"
    if not weights_fit(sizes_of(layer), weights):
        return "the weights have other shapes than the layer's sizes ask for"
    for state in _states(hx):
        if state is not None and (type(state) not in _plain or state.dtype is not dtype or not state.is_cpu):
            return "the state has another type or device than the input"
    return None


def warn(layer: nn.RNNBase, reason: str) -> None:
    """Say why PyTorch computes a call, once for each reason."""
    if reason in _warned:
        return
    _warned.add(reason)
    warnings.warn(
        f"[unroll.torch] PyTorch computes this {layer.mode.split('_')[0]} as before: {reason}", stacklevel=5
    )
