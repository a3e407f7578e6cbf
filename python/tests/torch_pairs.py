"""A layer of torch.nn and Unroll's, with the same weights; and what both give."""

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

import unroll.torch

torch.set_num_threads(1)  # many tests run at once; the tests of threads take two

PAIRS = {
    "rnn_tanh": (nn.RNN, unroll.torch.RNN, {"nonlinearity": "tanh"}),
    "rnn_relu": (nn.RNN, unroll.torch.RNN, {"nonlinearity": "relu"}),
    "lstm": (nn.LSTM, unroll.torch.LSTM, {}),
    "gru": (nn.GRU, unroll.torch.GRU, {}),
    "lstm_proj": (nn.LSTM, unroll.torch.LSTM, {"proj_size": 5}),
}


def pair(name, inputs=7, hidden=12, **options):
    """Both layers."""
    theirs, ours, more = PAIRS[name]
    a, b = (layer(inputs, hidden, **more, **options) for layer in (theirs, ours))
    b.load_state_dict(a.state_dict(), strict=True)
    return a, b


def flat(result):
    """All tensors of a result."""
    if isinstance(result, PackedSequence):
        return [result.data]
    if isinstance(result, tuple):
        return [t for part in result for t in flat(part)]
    return [result]


def _leaf(t):
    return t.detach().clone().requires_grad_()


def run(layer, x, hx):
    """Outputs, and the gradients of x, hx and the parameters under a random loss."""
    x = [_leaf(t) for t in x] if isinstance(x, list) else _leaf(x)
    hx = tuple(map(_leaf, hx)) if isinstance(hx, tuple) else hx if hx is None else _leaf(hx)
    torch.manual_seed(3)  # of dropout
    given = pack_sequence(x, enforce_sorted=False) if isinstance(x, list) else x
    outputs = flat(layer(given) if hx is None else layer(given, hx))
    torch.manual_seed(5)
    sum((t * torch.randn_like(t)).sum() for t in outputs).backward()
    leaves = (x if isinstance(x, list) else [x]) + ([] if hx is None else flat(hx))
    grads = [t.grad for t in leaves] + [p.grad for p in layer.parameters()]
    layer.zero_grad()
    return outputs, grads


def expect_equal(a, b, x, hx, tolerance):
    """The same shapes, strides and numbers."""
    outputs, grads = run(a, x, hx)
    our_outputs, our_grads = run(b, x, hx)
    for theirs, ours in zip(outputs, our_outputs, strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        assert ours.stride() == theirs.stride()
        assert (ours - theirs).abs().max() <= tolerance
    for theirs, ours in zip(grads, our_grads, strict=True):
        if theirs is None:
            assert ours is None
        else:
            assert (ours - theirs).abs().max() <= tolerance * max(1, theirs.abs().max().item())


def state_of(name, dtype, layers, ways, batch=None, hidden=12):
    """An initial state of the layer."""
    many = () if batch is None else (batch,)
    size = 5 if name == "lstm_proj" else hidden
    h = torch.randn(layers * ways, *many, size, dtype=dtype)
    return (h, torch.randn(layers * ways, *many, hidden, dtype=dtype)) if "lstm" in name else h
