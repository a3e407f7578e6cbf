"""Modules of PyTorch that from_torch reads: the model gives the module's outputs."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch_parts import Of, gru, linear, lstm, numbers, tokens  # noqa: E402

import unroll  # noqa: E402

F, nn = torch.nn.functional, torch.nn


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
