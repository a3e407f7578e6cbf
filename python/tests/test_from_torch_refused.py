"""Modules of PyTorch that from_torch refuses, naming the layer."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch_parts import Of, gru, linear, lstm, numbers  # noqa: E402

import unroll  # noqa: E402

F, nn = torch.nn.functional, torch.nn


def last_of(rnn):
    return lambda s, x: s.fc(rnn(s, x))


def packed(self, x):
    both = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([7, 4]), batch_first=True)
    return self.fc(self.rnn(both)[1][-1])


def loop(self, x):
    h = x.new_zeros(x.size(0), 8)
    for step in x.unbind(1):
        h = self.cell(step, h)
    return self.fc(h)


def noisy(self, x):
    return self.fc(self.rnn(x + torch.randn_like(x))[1][-1])


def by_numpy(self, x):
    return self.fc(torch.from_numpy(np.tanh(x.numpy())))


def scripted(self, x):
    return self.fc(x) + SINE(x)[:, :1]


SINE = torch.jit.trace(torch.sin, torch.zeros(1, 8))


def remembers(self, x):
    """Goes on from the state of the call before."""
    out, self.h = self.rnn(x, getattr(self, "h", None))
    return self.fc(out[:, -1])


def length_in_code(self, x):
    return self.fc(self.rnn(x)[0][:, 6])


def branch(self, x):
    return self.fc(x) if x.sum() > 0 else self.fc(-x)


def changes_a_view(self, x):
    """Changes what the last step is a view of, for rare numbers only."""
    out, _ = self.rnn(x)
    last = out[:, -1]
    out.data[out.data > 0.999] = 0
    return self.fc(last)


def fills(self, x):
    y = torch.zeros(*x.shape[:2], 3)
    for t in range(x.size(1)):
        y[:, t] = self.fc(x)[:, t]
    return y


def spoilt(layer):
    layer.bias.data[0] = torch.inf
    return layer


def skips(self, x):
    return self.fc(self.fc(x) + self.other(x))


REFUSED = {
    "attention": (
        lambda: Of(lambda s, x: s.fc(s.attn(x, x, x)[0]), attn=nn.MultiheadAttention(8, 2), fc=linear()),
        numbers(2, 7, 8),
        r"layer 'attn' is a MultiheadAttention, which has no counterpart here",
    ),
    "transformer": (
        lambda: nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16), linear()),
        numbers(2, 7, 8),
        r"layer '0' is a TransformerEncoderLayer, which",
    ),
    "gelu": (lambda: nn.Sequential(linear(), nn.GELU()), numbers(2, 8), r"layer '1' is a GELU"),
    "average_pool": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.AvgPool2d(2)),
        numbers(2, 1, 8, 8),
        r"layer '1' is an AvgPool2d",
    ),
    "transposed": (lambda: nn.ConvTranspose1d(5, 8, 3), numbers(2, 5, 7), r"the module is a ConvTranspose1d"),
    "circular": (
        lambda: nn.Conv1d(5, 8, 3, padding=1, padding_mode="circular"),
        numbers(2, 5, 7),
        r"padding that is not of zeros \(circular\)",
    ),
    "colours": (
        lambda: nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()),
        numbers(2, 3, 8, 8),
        r"'0' .*3 channels.*one",
    ),
    "an_operation": (
        lambda: Of(lambda s, x: s.fc(torch.cumsum(x, 1)), fc=linear()),
        numbers(2, 8),
        r"in Of: the operation 'cumsum' has no counterpart here",
    ),
    "output_of_reverse": (
        lambda: Of(last_of(lambda s, x: s.rnn(x)[0][:, -1]), rnn=gru(bidirectional=True), fc=linear(16)),
        numbers(2, 7, 5),
        r"output\[:, -1\] is read, where one direction has read only one step; take h_n",
    ),
    "sum_of_directions": (
        lambda: Of(
            last_of(lambda s, x: sum(s.rnn(x)[0].chunk(2, -1))[:, -1]),
            rnn=gru(bidirectional=True),
            fc=linear(),
        ),
        numbers(2, 7, 5),
        r"the two directions are added",
    ),
    "one_of_directions": (
        lambda: Of(last_of(lambda s, x: s.rnn(x)[1][-1]), rnn=gru(bidirectional=True), fc=linear()),
        numbers(2, 7, 5),
        r"one direction of a bidirectional layer is used alone",
    ),
    "lower_state": (
        lambda: Of(last_of(lambda s, x: s.rnn(x)[1][0]), rnn=gru(num_layers=2), fc=linear()),
        numbers(2, 7, 5),
        r"h_n\[0\] is the state of a layer below the last",
    ),
    "memory": (
        lambda: Of(last_of(lambda s, x: s.rnn(x)[1][1][-1]), rnn=lstm(), fc=linear()),
        numbers(2, 7, 5),
        r"layer 'rnn' \(LSTM\): c_n, the memory of an LSTM, is read",
    ),
    "last_then_mean": (
        lambda: Of(
            lambda s, x: s.fc(torch.cat([(o := s.rnn(x)[0])[:, -1], o.mean(1)], -1)), rnn=gru(), fc=linear(16)
        ),
        numbers(2, 7, 5),
        r"last, mean are put side by side; only the mean",
    ),
    "one_of_the_batch": (
        lambda: Of(last_of(lambda s, x: s.rnn(x)[0][:, -1]), rnn=nn.GRU(5, 8), fc=linear()),
        numbers(2, 7, 5),
        r"takes one sequence of the batch, .*check batch_first",
    ),
    "mixed_h_n": (
        lambda: Of(
            last_of(lambda s, x: s.rnn(x)[1].view(x.size(0), -1)), rnn=gru(bidirectional=True), fc=linear(16)
        ),
        numbers(3, 7, 5),
        r"mixes its dimensions",
    ),
    "packed": (lambda: Of(packed, rnn=lstm(), fc=linear()), numbers(2, 7, 5), r"leave the packing out"),
    "loop_over_cells": (
        lambda: Of(loop, cell=nn.GRUCell(5, 8), fc=linear()),
        numbers(2, 7, 5),
        r"layer 'cell' \(GRUCell\): a loop over single steps",
    ),
    "noise": (
        lambda: Of(noisy, rnn=gru(), fc=linear()),
        numbers(2, 7, 5),
        r"'randn_like' has no counterpart",
    ),
    "always_dropped": (
        lambda: Of(lambda s, x: F.dropout(s.fc(x)), fc=linear()),
        numbers(2, 8),
        r"dropout is on in eval",
    ),
    "skip_by_other_layers": (
        lambda: Of(skips, fc=linear(8, 8), other=linear(8, 8)),
        numbers(2, 8),
        r"neither is made from the other alone",
    ),
    "numbers_in_python": (
        lambda: Of(by_numpy, fc=linear()),
        numbers(2, 8),
        r"Python reads numbers of the data \(numpy of",
    ),
    "branch": (
        lambda: Of(branch, fc=linear()),
        numbers(2, 8),
        r"Python reads numbers of the data \(__bool__",
    ),
    "changed_view": (
        lambda: Of(changes_a_view, rnn=gru(), fc=linear()),
        numbers(2, 7, 5),
        r"a tensor that shares memory with others is changed in place",
    ),
    "filled_buffer": (
        lambda: Of(fills, fc=linear(5)),
        numbers(2, 7, 5),
        r"a tensor that shares memory with others is changed in place",
    ),
    "two_outputs": (
        lambda: Of(lambda s, x: (s.fc(x), s.fc(x)), fc=linear()),
        numbers(2, 8),
        r"gives a tuple, expected one",
    ),
    "in_half": (
        lambda: linear().bfloat16(),
        numbers(2, 8).bfloat16(),
        r"weight has the type torch.bfloat16.*module.float",
    ),
    "other_width": (lambda: linear(), numbers(2, 9), r"the module fails on the example: RuntimeError"),
    "no_layer": (lambda: nn.ReLU(), numbers(2, 9), r"no layer that a model here needs"),
    "softmax_inside": (
        lambda: nn.Sequential(linear(), nn.Softmax(-1), linear(3)),
        numbers(2, 8),
        r"softmax is followed by",
    ),
    "not_finite": (
        lambda: Of(lambda s, x: s.fc(x), fc=spoilt(linear())),
        numbers(2, 8),
        r"outputs on the example are not finite",
    ),
    # found by the comparison on a second input
    "remembers": (
        lambda: Of(remembers, rnn=gru(), fc=linear()),
        numbers(2, 7, 5),
        r"other outputs than the module on a random input",
    ),
    "length_in_code": (
        lambda: Of(length_in_code, rnn=gru(), fc=linear()),
        numbers(2, 7, 5),
        r"other outputs than the module on a random input of shape \(3, 10, 5\): .* at \[\d, \d\]",
    ),
    "unseen_operation": (
        lambda: Of(scripted, fc=linear(8, 1)),
        numbers(1, 8),
        r"other outputs than the module on a random input",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_layer(name):
    torch.manual_seed(2)
    make, example, text = REFUSED[name]
    with pytest.raises(unroll.ArgumentError, match=r"^\[from_torch\] .*(" + text + ")"):
        unroll.from_torch(make(), example)
