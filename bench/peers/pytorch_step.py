#!/usr/bin/env python3
"""Times a workload in PyTorch: a whole training step, or one time step at batch 1.

    python3 pytorch_step.py --workload train/lstm/t28_i28_h100_n100 --threads 2 --seconds 2
"""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import timing


def recurrent_layer(sizes):
    kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[sizes.model]
    options = {"nonlinearity": sizes.nonlinearity} if sizes.model == "rnn" else {}
    return kind(sizes.inputs, sizes.hidden, sizes.layers, batch_first=True,
                bidirectional=sizes.bidirectional, **options)


class Recurrent(nn.Module):
    """The tutorial's: a recurrent layer, and a readout of where each of its directions ends."""

    def __init__(self, sizes):
        super().__init__()
        self.rnn = recurrent_layer(sizes)
        self.fc = nn.Linear(sizes.hidden * (2 if sizes.bidirectional else 1), 10)
        self.lengths = torch.tensor(sizes.lengths()) if sizes.ragged else None

    def forward(self, x):
        if self.lengths is None and not self.rnn.bidirectional:
            return self.fc(self.rnn(x)[0][:, -1, :])
        if self.lengths is not None:
            x = pack_padded_sequence(x, self.lengths, batch_first=True, enforce_sorted=False)
        state = self.rnn(x)[1]
        h_n = state[0] if isinstance(state, tuple) else state
        return self.fc(torch.cat((h_n[-2], h_n[-1]), 1) if self.rnn.bidirectional else h_n[-1])


class Convolutional(nn.Module):
    """The tutorial's: convolutions of 5 x 5 with ReLU and pooling by 2, and a readout."""

    def __init__(self, sizes):
        super().__init__()
        layers, channels = [], 1
        for i in range(sizes.layers):
            layers += [nn.Conv2d(channels, sizes.hidden << i, 5, padding=2), nn.ReLU(),
                       nn.MaxPool2d(2)]
            channels = sizes.hidden << i
        pixels = (sizes.steps >> sizes.layers) * (sizes.inputs >> sizes.layers)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * pixels, 10))

    def forward(self, x):
        return self.layers(x.unsqueeze(1))


def training_step(sizes):
    """zero_grad, batch, forward, loss, backward, clipping and SGD, on generated data."""
    count = sizes.batches() * sizes.batch
    images = torch.rand(count, sizes.steps, sizes.inputs)
    labels = torch.randint(0, 10, (count,))
    batches = torch.randperm(count).split(sizes.batch)
    model = (Convolutional if sizes.model == "cnn" else Recurrent)(sizes)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_of = nn.CrossEntropyLoss()
    done = 0

    def step():
        nonlocal done
        index = batches[done % len(batches)]
        done += 1
        optimizer.zero_grad()
        loss = loss_of(model(images[index]), labels[index])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def time_step(sizes):
    """One call of the layer, without the readout, on a sequence of one step; the state goes on."""
    rnn = recurrent_layer(sizes).eval()
    x = torch.rand(1, 1, sizes.inputs)
    state = torch.zeros(sizes.layers, 1, sizes.hidden)
    if sizes.model == "lstm":
        state = state, state.clone()

    def step():
        nonlocal state
        state = rnn(x, state)[1]

    return step


arguments = timing.read_arguments(__doc__)
torch.set_num_threads(arguments.threads)
torch.manual_seed(0)
if arguments.workload.startswith("step/"):
    with torch.inference_mode():
        times = timing.measure(time_step(arguments.sizes), arguments.seconds)
else:
    times = timing.measure(training_step(arguments.sizes), arguments.seconds)
timing.report(f"PyTorch {torch.__version__.split('+')[0]}", arguments, times)
