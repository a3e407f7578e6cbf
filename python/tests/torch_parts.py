"""Parts of modules that the tests of from_torch put together."""

import torch
from torch import nn


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
