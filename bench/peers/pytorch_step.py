#!/usr/bin/env python3
"""Times a workload in PyTorch: a whole training step, or one time step at batch 1.

    python3 pytorch_step.py --workload train/rnn_relu/t28_i28_h100_n100 --threads 2 --seconds 2
"""
import torch
from torch import nn

import timing


class Model(nn.Module):
    """The tutorial's: a recurrent layer, and a readout of its last time step."""

    def __init__(self, sizes):
        super().__init__()
        self.rnn = nn.RNN(sizes.inputs, sizes.hidden, sizes.layers, batch_first=True,
                          nonlinearity=sizes.nonlinearity)
        self.fc = nn.Linear(sizes.hidden, 10)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1, :])


def training_step(sizes):
    """zero_grad, batch, forward, loss, backward, clipping and SGD, on generated data."""
    count = 20 * sizes.batch
    images = torch.rand(count, sizes.steps, sizes.inputs)
    labels = torch.randint(0, 10, (count,))
    batches = torch.randperm(count).split(sizes.batch)
    model = Model(sizes)
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
    rnn = nn.RNN(sizes.inputs, sizes.hidden, sizes.layers, batch_first=True,
                 nonlinearity=sizes.nonlinearity).eval()
    x = torch.rand(1, 1, sizes.inputs)
    state = torch.zeros(sizes.layers, 1, sizes.hidden)

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
