"""Recurrent layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flow import Flow, Group, Label, Layer, Refusal, check_sequence
from .operations import OPERATIONS, operation
from .stepwise import array_of
from .trace import Trace, Unknown


def _recurrent(cell: str, **more: str) -> Any:
    def operate(
        trace: Trace,
        x: Any,
        hx: Any,
        weights: Any,
        bias: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> list[Any]:
        if not isinstance(x, Flow) or not isinstance(weights, list):
            raise Refusal("it reads sequences packed by length; give it (N, T, I) as they are")
        if train and dropout > 0:
            raise Refusal("its dropout is on in eval mode too")
        named = _named_weights(weights, bias, num_layers, bidirectional)
        named |= _initial_states(hx if isinstance(hx, list) else [hx])
        options = {"type": cell, **more, "num_layers": num_layers, "bidirectional": bidirectional}
        return _through(trace, x, options, named, batch_first)

    return operate


for _name, _cell, _options in (
    ("lstm", "lstm", {}),
    ("gru", "gru", {}),
    ("rnn_tanh", "rnn", {"nonlinearity": "tanh"}),
    ("rnn_relu", "rnn", {"nonlinearity": "relu"}),
):
    OPERATIONS[_name] = _recurrent(_cell, **_options)


@operation("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def cell(trace: Trace, *args: Any, **kwargs: Any) -> Flow:
    raise Refusal(
        "a loop over single steps can't be read; use nn.LSTM, nn.GRU or nn.RNN, which reads all steps"
    )


@operation("pack_padded_sequence", "pad_packed_sequence")
def packed(trace: Trace, *args: Any, **kwargs: Any) -> Flow:
    raise Refusal(
        "sequences are packed by their lengths; leave the packing out: Model.predict takes a list of "
        "sequences of different lengths"
    )


def _named_weights(weights: list[Any], bias: bool, layers: int, bidirectional: bool) -> dict[str, np.ndarray]:
    """Name the weights as nn.LSTM does."""
    kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if bias else [])]
    ends = [
        f"_l{layer}{end}" for layer in range(layers) for end in ("", "_reverse")[: 2 if bidirectional else 1]
    ]
    if len(weights) > len(kinds) * len(ends):
        kinds.append("weight_hr")
    names = [kind + end for end in ends for kind in kinds]
    return {name: array_of(weight) for name, weight in zip(names, weights, strict=True)}


def _through(
    trace: Trace, x: Flow, options: dict[str, Any], weights: dict[str, np.ndarray], batch_first: bool
) -> list[Any]:
    """Return output, h_n and, for an LSTM, c_n."""
    cell, num_layers = options["type"], options["num_layers"]
    name = trace.layer_name(cell)
    time, batch = (1, 0) if batch_first else (0, 1)
    x = x.complete()
    if len(x.dims) != 3:
        raise Refusal(f"it reads a tensor of shape {x.shape}")
    check_sequence(x, x.dims[time], x.dims[batch])
    x = x.read_on(2)
    rows_of_w, size = weights["weight_hh_l0"].shape  # G H, P
    options |= {
        "name": name,
        "input_size": weights["weight_ih_l0"].shape[1],
        "hidden_size": rows_of_w // {"rnn": 1, "gru": 3, "lstm": 4}[cell],
        "bias": "bias_ih_l0" in weights,
        "layer_norm": False,
        "zoneout_h": 0.0,
        "learn_initial_state": "h_0" in weights,
        "readout": "every_step",
    }
    if cell == "lstm":
        options |= {"proj_size": size if "weight_hr_l0" in weights else 0, "zoneout_c": 0.0}
    layer = Layer(options, weights)
    one = Label(size, "features")
    both = (Label(2, "directions"), one) if options["bidirectional"] else (one,)
    output = x.but(layers=(*x.layers, layer), dims=(*x.dims[:2], both), features=both)
    rows: Group = both[:-1]
    if num_layers > 1:
        rows = (Label(num_layers, "layers"), *rows)
    last = layer.replaced(readout="last")
    h_n = output.but(layers=(*x.layers, last), dims=(rows, x.dims[batch], (one,)), is_state=True)
    memory = Unknown(f"{trace.where()}: c_n, the memory of an LSTM, is read; only h_n can be", is_state=True)
    return [output, h_n, memory][: 3 if cell == "lstm" else 2]


def _initial_states(hx: list[Any]) -> dict[str, np.ndarray]:
    """Return h_0 and c_0 as weights, of shape (L D, 1, P); nothing if they are zeros."""
    states = [array_of(state, "its initial state") for state in hx]
    if not any(np.any(state) for state in states):
        return {}
    for state in states:
        if np.any(state != state[:, :1]):
            raise Refusal("its initial state differs from sequence to sequence; that has no counterpart")
    return {
        name: np.ascontiguousarray(state[:, :1]) for name, state in zip(("h_0", "c_0"), states, strict=False)
    }
