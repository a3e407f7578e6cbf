"""Models from live modules of PyTorch: outputs are compared with the modules'."""

import doctest
import sys
from pathlib import Path

import numpy as np
import pytest

import unroll

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional
nn = torch.nn


class Of(nn.Module):
    """A module from named children and a function of (self, x)."""

    def __init__(self, forward, **children):
        super().__init__()
        self.function = forward
        for name, child in children.items():
            if isinstance(child, (nn.Module, nn.Parameter)):
                setattr(self, name, child)
            else:
                self.register_buffer(name, child)

    def forward(self, x):
        return self.function(self, x)


def numbers(*shape):
    return torch.randn(*shape)


def tokens(*shape, below=11):
    return torch.randint(0, below, shape)


def lstm(**options):
    return nn.LSTM(5, 8, **{"batch_first": True, **options})


def gru(inputs=5, hidden=8, **options):
    return nn.GRU(inputs, hidden, **{"batch_first": True, **options})


def linear(inputs=8, outputs=3):
    return nn.Linear(inputs, outputs)


def two_ways(self, x):
    """The last states of both directions, by the parts of output."""
    out, _ = self.rnn(x)
    size = self.rnn.hidden_size
    return self.fc(torch.cat([out[:, -1, :size], out[:, 0, size:]], dim=1))


def both_of_h_n(self, x):
    _, h = self.rnn(x)
    layers = h.view(self.rnn.num_layers, 2, x.size(0), -1)[-1]
    return self.fc(torch.cat([layers[0], layers[1]], -1))


def flat_h_n(self, x):
    _, h = self.rnn(x)
    return self.fc(h[-2:].transpose(0, 1).reshape(x.size(0), -1))


def chunks(self, x):
    ahead, back = self.rnn(x)[0].chunk(2, dim=-1)
    return self.fc(torch.cat((ahead[:, -1], back[:, 0]), -1))


def with_zeros(self, x):
    """The tutorial's network, which makes its initial states itself."""
    h0 = torch.zeros(self.rnn.num_layers, x.size(0), self.rnn.hidden_size).requires_grad_()
    out, _ = self.rnn(x, h0.detach())
    return self.fc(out[:, -1, :])


def with_learnt_states(self, x):
    count = x.size(0)
    return self.fc(
        self.rnn(x, (self.h.expand(-1, count, -1).contiguous(), self.c.repeat(1, count, 1)))[0][:, -1]
    )


def blocks(self, x):
    x = self.embed((x - self.mean) / self.std)
    x = x + self.one(x)[0]
    x = x + F.relu(self.back(self.two(x)[0]))
    return self.fc(self.top(x)[0].mean(dim=1))


def dense_before_readout(self, x):
    return self.fc(self.norm(torch.relu(self.middle(self.rnn(x)[0]))))[:, -1]


def flattened_steps(self, x):
    """Old Keras style: time is folded into the batch for the linear layer."""
    n, t, _ = x.shape
    out, _ = self.rnn(x)
    return self.fc(out.contiguous().view(n * t, -1)).view(n, t, -1)


def folded(self, x):
    """One number at each step, of which the last counts."""
    out, _ = self.rnn(self.embed(x))
    out = torch.sigmoid(self.fc(out.contiguous().view(-1, 8)))
    return out.view(x.size(0), -1)[:, -1]


def convolution(self, x):
    x = F.relu(self.norm(self.conv(x.transpose(1, 2))))
    out, _ = self.rnn(x.transpose(1, 2))
    return self.fc(out[:, -1])


def padded_causal(self, x):
    x = self.conv(F.pad(x.transpose(1, 2), (6, 0))).tanh().transpose(1, 2)
    return self.fc(self.rnn(x)[1][-1])


class Cut(nn.Module):
    """Cuts the steps that look ahead, as in a TCN."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def forward(self, x):
        return x[:, :, : -self.steps].contiguous()


def tcn(self, x):
    x = x.transpose(1, 2)
    x = F.relu(x + self.block(x))
    return self.fc(x.transpose(1, 2))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, (3, 2), stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 3 * 3, 5),
        nn.LogSoftmax(dim=1),
    )


def statistics(module):
    """Give batch normalisation numbers that are not 0 and 1."""
    for child in module.modules():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            child.running_mean.normal_()
            child.running_var.uniform_(0.5, 2)
            child.weight.data.uniform_(0.5, 2)
            child.bias.data.normal_()
    return module


def negative(module):
    """Give batch normalisation some negative factors."""
    module[2].weight.data.uniform_(-1, 1)
    return module


def weight_norm(module):
    return torch.nn.utils.parametrizations.weight_norm(module)


def own_parameter(*shape):
    return nn.Parameter(torch.randn(*shape))


READ = {
    # the options of recurrent layers
    "bare_lstm": (lambda: lstm(), numbers(2, 7, 5)),
    "bare_rnn_of_steps_first": (lambda: nn.RNN(5, 8, 2), numbers(7, 2, 5)),
    "rnn_relu": (
        lambda: Of(with_zeros, rnn=nn.RNN(5, 8, 2, nonlinearity="relu", batch_first=True), fc=linear()),
        numbers(2, 7, 5),
    ),
    "gru_without_bias": (
        lambda: Of(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=gru(bias=False), fc=linear()),
        numbers(2, 7, 5),
    ),
    "lstm_projected_both_ways": (
        lambda: Of(
            lambda s, x: s.fc(s.rnn(x)[0]),
            rnn=lstm(num_layers=2, proj_size=3, bidirectional=True),
            fc=linear(6),
        ),
        numbers(2, 7, 5),
    ),
    "lstm_with_dropout": (
        lambda: Of(
            lambda s, x: s.fc(s.drop(s.rnn(x)[1][0][-1])),
            rnn=lstm(num_layers=2, dropout=0.5),
            drop=nn.Dropout(0.3),
            fc=linear(),
        ),
        numbers(2, 7, 5),
    ),
    "learnt_states": (
        lambda: Of(
            with_learnt_states,
            rnn=lstm(num_layers=2),
            fc=linear(),
            h=own_parameter(2, 1, 8),
            c=own_parameter(2, 1, 8),
        ),
        numbers(2, 7, 5),
    ),
    "unbatched": (lambda: Of(lambda s, x: s.fc(s.rnn(x)[0]), rnn=gru(), fc=linear()), numbers(7, 5)),
    "one_number_a_step": (
        lambda: Of(
            lambda s, x: s.fc(s.rnn(x.unsqueeze(-1))[0][:, -1]).squeeze(-1), rnn=gru(1), fc=linear(8, 1)
        ),
        numbers(2, 7),
    ),
    "rows_of_images": (
        lambda: Of(lambda s, x: s.fc(s.rnn(x.view(-1, 12, 9))[0][:, -1]), rnn=gru(9), fc=linear()),
        numbers(2, 1, 12, 9),
    ),
    "folded_and_unfolded": (
        lambda: Of(folded, embed=nn.Embedding(11, 5), rnn=gru(), fc=linear(8, 1)),
        tokens(2, 7),
    ),
    "batch_of_one": (
        lambda: Of(lambda s, x: s.fc(s.rnn(x)[1].squeeze(0)), rnn=gru(), fc=linear()),
        numbers(1, 7, 5),
    ),
    "in_double": (
        lambda: Of(lambda s, x: s.fc(s.rnn(x)[1][-1]), rnn=gru(), fc=linear()).double(),
        numbers(2, 7, 5).double(),
    ),
    # readouts
    "steps_first_last": (
        lambda: Of(lambda s, x: s.fc(s.rnn(x)[0][-1]), rnn=nn.GRU(5, 8), fc=linear()),
        numbers(7, 2, 5),
    ),
    "parts_of_output": (lambda: Of(two_ways, rnn=lstm(bidirectional=True), fc=linear(16)), numbers(2, 7, 5)),
    "view_of_h_n": (
        lambda: Of(both_of_h_n, rnn=gru(num_layers=2, bidirectional=True), fc=linear(16)),
        numbers(2, 7, 5),
    ),
    "reshaped_h_n": (
        lambda: Of(flat_h_n, rnn=gru(num_layers=2, bidirectional=True), fc=linear(16)),
        numbers(3, 7, 5),
    ),
    "chunks_of_output": (lambda: Of(chunks, rnn=gru(bidirectional=True), fc=linear(16)), numbers(2, 7, 5)),
    "max": (
        lambda: Of(
            lambda s, x: s.fc(s.rnn(x)[0].max(dim=1).values), rnn=gru(bidirectional=True), fc=linear(16)
        ),
        numbers(2, 7, 5),
    ),
    "adaptive_pool": (
        lambda: Of(
            lambda s, x: s.fc(s.pool(s.rnn(x)[0].permute(0, 2, 1)).flatten(1)),
            rnn=gru(),
            pool=nn.AdaptiveMaxPool1d(1),
            fc=linear(),
        ),
        numbers(2, 7, 5),
    ),
    "mean_and_last": (
        lambda: Of(
            lambda s, x: s.fc(torch.cat([(o := s.rnn(x))[0].mean(1), o[1][-1]], -1)), rnn=gru(), fc=linear(16)
        ),
        numbers(2, 7, 5),
    ),
    "mean_of_linear": (
        lambda: Of(lambda s, x: s.fc(s.rnn(x)[0]).mean(1), rnn=gru(), fc=linear()),
        numbers(2, 7, 5),
    ),
    "last_of_deep_head": (
        lambda: Of(dense_before_readout, rnn=gru(), middle=linear(8, 6), norm=nn.LayerNorm(6), fc=linear(6)),
        numbers(2, 7, 5),
    ),
    "states_beside_output": (
        lambda: Of(lambda s, x: ((o := s.rnn(x))[0], o[1]), rnn=lstm()),
        numbers(2, 7, 5),
    ),
    # layers around them
    "stack_of_cells": (
        lambda: Of(lambda s, x: s.fc(s.two(s.one(x)[0])[1][-1]), one=lstm(), two=gru(8), fc=linear()),
        numbers(2, 7, 5),
    ),
    "residual_blocks": (
        lambda: Of(
            blocks,
            embed=linear(5, 8),
            one=gru(8),
            two=gru(8, 6),
            back=linear(6, 8),
            fc=linear(),
            top=nn.RNN(8, 8, batch_first=True),
            mean=torch.randn(5),
            std=torch.rand(5) + 0.5,
        ),
        numbers(2, 7, 5),
    ),
    "folded_time": (lambda: Of(flattened_steps, rnn=gru(), fc=linear()), numbers(2, 7, 5)),
    "embedding": (
        lambda: Of(
            lambda s, x: s.fc(s.rnn(s.drop(s.embed(x)))[1][-1]).softmax(-1),
            embed=nn.Embedding(11, 5),
            drop=nn.Dropout(),
            rnn=gru(),
            fc=linear(),
        ),
        tokens(2, 7),
    ),
    "tagger_of_steps_first": (
        lambda: Of(
            lambda s, x: F.log_softmax(s.fc(s.rnn(s.embed(x))[0]), dim=2),
            fc=linear(16),
            embed=nn.Embedding(11, 5),
            rnn=nn.LSTM(5, 8, bidirectional=True),
        ),
        tokens(7, 2),
    ),
    "one_hot": (
        lambda: Of(lambda s, x: s.fc(s.rnn(F.one_hot(x, 5).float())[0]), rnn=gru(), fc=linear()),
        tokens(2, 7, below=5),
    ),
    "convolution": (
        lambda: statistics(
            Of(
                convolution,
                conv=nn.Conv1d(5, 6, 3, stride=2, padding=1, dilation=2),
                norm=nn.BatchNorm1d(6),
                rnn=gru(6),
                fc=linear(),
            )
        ),
        numbers(2, 17, 5),
    ),
    "causal_convolution": (
        lambda: Of(padded_causal, conv=nn.Conv1d(5, 10, 3, dilation=3, groups=5), rnn=gru(10), fc=linear()),
        numbers(2, 17, 5),
    ),
    "tcn_with_weight_norm": (
        lambda: Of(
            tcn,
            fc=linear(5),
            block=nn.Sequential(
                weight_norm(nn.Conv1d(5, 7, 3, padding=2)),
                Cut(2),
                nn.ReLU(),
                nn.Dropout(0.2),
                weight_norm(nn.Conv1d(7, 5, 3, padding=4, dilation=2)),
                Cut(4),
                nn.ReLU(),
            ),
        ),
        numbers(2, 17, 5),
    ),
    # without time
    "mlp": (
        lambda: nn.Sequential(
            nn.Flatten(), nn.Linear(12, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 1), nn.Sigmoid()
        ),
        numbers(3, 3, 4),
    ),
    "mlp_normalised": (
        lambda: statistics(
            nn.Sequential(
                nn.BatchNorm1d(6), nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)
            )
        ),
        numbers(3, 6),
    ),
    "own_matrices": (
        lambda: Of(
            lambda s, x: torch.relu(x @ s.w + s.b) @ s.v,
            w=own_parameter(6, 8),
            b=own_parameter(8),
            v=own_parameter(8, 3),
        ),
        numbers(3, 6),
    ),
    "cnn": (lambda: statistics(cnn()), numbers(2, 1, 14, 12)),
    "mlp_with_a_negative_factor": (
        lambda: negative(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.BatchNorm1d(8), nn.Linear(8, 2))),
        numbers(3, 6),
    ),
    "layer_used_twice": (lambda: Of(lambda s, x: s.fc(s.fc(x).relu_()), fc=linear(6, 6)), numbers(3, 6)),
}


WITHOUT_STEPS = ("mlp", "cnn", "own_matrices", "layer_used_twice")


def arranged(x, name):
    """Return the array that a model reads, from the tensor that the module reads."""
    x = x.transpose(0, 1) if "steps_first" in name else x
    x = x.squeeze(1) if name == "rows_of_images" else x
    return x.reshape(len(x), -1).numpy() if name.startswith(WITHOUT_STEPS) else x.numpy()


@pytest.mark.parametrize("name", READ)
def test_outputs_are_the_modules(name):
    torch.manual_seed(1)
    make, example = READ[name]
    module = make()
    model = unroll.from_torch(module, example)
    assert module.training
    module.eval()
    first = "steps_first" in name
    shape = list(example.shape)
    if example.dim() > 1 and name not in ("batch_of_one", "unbatched"):
        shape[1 if first else 0] += 2
    if example.dim() == 3 and "mlp" not in name:
        shape[0 if first or name == "unbatched" else 1] += 4
    x = (
        torch.randint(0, 5, shape)
        if not example.is_floating_point()
        else torch.randn(shape, dtype=example.dtype)
    )
    with torch.no_grad():
        y = module(x)
    y = y[0] if isinstance(y, tuple) else y
    if name.endswith("steps_first") or name == "tagger_of_steps_first":
        y = y.transpose(0, 1)
    expected = y.numpy()
    ours = np.asarray(model.predict(arranged(x, name)))
    last = module[-1] if isinstance(module, nn.Sequential) else None
    if isinstance(last, nn.LogSoftmax) or name in ("embedding", "tagger_of_steps_first"):
        ours = torch.from_numpy(ours).softmax(-1).numpy()  # the model gives the logits
        expected = expected if name == "embedding" else np.exp(expected)
    assert ours.dtype == (np.float64 if name == "in_double" else np.float32)
    np.testing.assert_allclose(ours.reshape(expected.shape), expected, rtol=0, atol=1e-5)


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


def test_wrappers_and_modes_are_left_as_they_are():
    module = nn.Sequential(linear(8, 4), nn.Dropout(0.5), linear(4, 2).eval())
    model = unroll.from_torch(nn.DataParallel(module), np.zeros((2, 8), np.float32))
    assert [child.training for child in module] == [True, True, False]
    assert not module[0]._forward_hooks and not module[0]._forward_pre_hooks
    x = torch.randn(3, 8)
    module.eval()
    np.testing.assert_allclose(model.predict(arranged(x, "mlp")), module(x).detach().numpy(), atol=1e-5)


def test_length_of_a_module_that_reads_no_other_is_kept():
    """The module itself fails on another number of steps."""

    def forward(self, x):
        return self.fc(self.rnn(x)[0].view(x.size(0), 7, 8)[:, -1])

    model = unroll.from_torch(Of(forward, rnn=gru(), fc=linear()), numbers(2, 7, 5))
    assert model.description["input"]["height"] == 7


def test_meaning_of_the_outputs():
    net, x = nn.Sequential(linear(), nn.Softmax(-1)), numbers(2, 8)
    model = unroll.from_torch(net, x, classes=["a", "b", "c"])
    assert (model.output, model.classes) == ("logits", ["a", "b", "c"])
    np.testing.assert_allclose(model.predict_proba(x.numpy()), net(x).detach().numpy(), atol=1e-5)
    assert unroll.from_torch(net[0], x, output="values").output == "values"
    with pytest.raises(unroll.ArgumentError, match="ends with a softmax, expected output='logits'"):
        unroll.from_torch(net, x, output="values")
    with pytest.raises(unroll.ArgumentError, match="output is 'value', expected 'logits', 'scores' or"):
        unroll.from_torch(net[0], x, output="value")
    with pytest.raises(unroll.ArgumentError, match="2 class names given, expected 3"):
        unroll.from_torch(net, x, classes=["a", "b"])


def test_accelerated_layers_are_read(recwarn):
    import unroll.torch

    torch.manual_seed(3)
    net = Of(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=lstm(num_layers=2), fc=linear()).eval()
    x = numbers(4, 9, 5)
    y = net(x).detach().numpy()
    model = unroll.from_torch(unroll.torch.accelerate(net), numbers(2, 7, 5))
    np.testing.assert_allclose(model.predict(x.numpy()), y, atol=1e-5)
    assert not [w for w in recwarn if "unroll.torch" in str(w.message)]


def test_the_pages_examples_run():
    page = (Path(__file__).parents[2] / "docs/python.md").read_text(encoding="utf-8")
    text = page.split("\n## From PyTorch\n")[1].split("\n## ")[0]
    test = doctest.DocTestParser().get_doctest(text, {}, "docs/python.md", None, 0)
    assert len(test.examples) > 2
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"^\[from_torch\] PyTorch is not installed; install it with: pip"):
        unroll.from_torch(None, None)


def test_rounding_of_large_numbers_is_no_difference():
    """Two layers that add up: numbers inside are much larger than some outputs."""
    torch.manual_seed(0)
    rnn = nn.RNN(28, 100, 2, nonlinearity="relu", batch_first=True)
    nn.init.eye_(rnn.weight_hh_l0)
    nn.init.eye_(rnn.weight_hh_l1)
    net = Of(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=rnn, fc=linear(100, 10))
    x = 10 * numbers(4, 28, 28)
    model = unroll.from_torch(net, x)
    y = net(x).detach().numpy()
    assert abs(y).max() > 10
    np.testing.assert_allclose(model.predict(x.numpy()), y, atol=1e-5 * abs(y).max())
