#!/usr/bin/env python3
"""The training step of bench/train_step.cpp in PyTorch: best and median milliseconds.

    python3 pytorch_step.py [--threads 2] [--layers 1] [--steps 300]

Needs torch (measured with 2.13.0).
"""
import argparse
import time

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--layers", type=int, default=1)
parser.add_argument("--steps", type=int, default=300)
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)
torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(28, 100, arguments.layers, batch_first=True, nonlinearity="relu")
        self.fc = nn.Linear(100, 10)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1, :])


model = Model()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
loss_of = nn.CrossEntropyLoss()
images = torch.rand(6000, 28, 28)
labels = torch.randint(0, 10, (6000,))
times = []
for step in range(arguments.steps + 20):
    start = time.perf_counter()
    index = torch.randint(0, 6000, (100,))
    optimizer.zero_grad()
    loss = loss_of(model(images[index]), labels[index])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    loss.item()
    times.append(1e3 * (time.perf_counter() - start))
times = sorted(times[20:])
print(f"torch {torch.__version__}, {arguments.threads} threads, {arguments.layers} layers: "
      f"best {times[0]:.2f} ms, median {times[len(times) // 2]:.2f} ms")
