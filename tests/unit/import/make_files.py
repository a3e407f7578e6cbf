"""Writes the files of this test's folder files/ with PyTorch 2.13; run it there: python make_files.py

The numbers are made by formulas that the tests know.
"""
import os

import torch
from torch import nn

FILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.fc = nn.Linear(4, 2)
        with torch.no_grad():
            for parameter in self.parameters():
                count = parameter.numel()
                parameter.copy_(((torch.arange(count) - count // 2) / 64).view_as(parameter))


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Net()


class Attack:
    def __reduce__(self):
        return os.system, ("touch attacked",)


def save(name, what, **options):
    torch.save(what, os.path.join(FILES, name), **options)


numbers = torch.arange(24, dtype=torch.float32) / 8
optimizer = torch.optim.Adam(Net().parameters())
save("lstm.pt", Wrapped().state_dict())
save("tensors.pt", {
    "f16": numbers[:6].half().view(2, 3),
    "bf16": numbers[:6].bfloat16().view(2, 3),
    "f64": numbers[:6].double().view(2, 3),
    "i64": torch.arange(3),
    "bool": torch.tensor([True, False]),
    "transposed": numbers.view(4, 6).t(),
    "sliced": numbers.view(4, 6)[1:3, 2:5:2],
    "expanded": numbers[5:6].expand(2, 3),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
    "parameter": nn.Parameter(numbers[:2]),
})
save("checkpoint.pt", {"epoch": 3, "loss": 0.25, "name": "a run", "done": True, "best": None,
                       "big": 1 << 40, "betas": (0.9, 0.999), "lr": [1e-3],
                       "model_state_dict": Net().state_dict(),
                       "optimizer": optimizer.state_dict()})
save("two.pt", {"encoder": nn.Linear(2, 1).state_dict(), "decoder": nn.Linear(2, 1).state_dict()})
save("attack.pt", {"weight": Attack()})
save("module.pt", Net())
save("legacy.pt", nn.Linear(2, 1).state_dict(), _use_new_zipfile_serialization=False)
