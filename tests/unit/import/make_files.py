"""Writes the files of this test's folder files/ with PyTorch 2.13; run it there: python make_files.py

The numbers are made by formulas that the tests know.
"""
import collections
import os
import sys

import numpy as np
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


def is_wanted(name):
    """All files, or those that are named on the command line."""
    return len(sys.argv) == 1 or name in sys.argv


def save(name, what, **options):
    if is_wanted(name):
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

# All that torch.load takes with weights_only=True, and what else stands in checkpoints.
marked = nn.Parameter(numbers[:2].clone())
marked.mark = True
tensor = numbers[:2].clone()
tensor.mark = "a"
OBJECTS = {
    "state_dict": Net().state_dict(),
    "counter": collections.Counter("aab"), "ordered": collections.OrderedDict(a=1),
    "default": collections.defaultdict(list, {"a": [1.0]}), "deque": collections.deque([1], 2),
    "size": torch.Size([1, 2]), "device": torch.device("cpu"), "layout": torch.strided,
    "dtypes": [torch.float32, torch.uint16, torch.float8_e4m3fn, torch.complex64],
    "set": {1}, "frozen": frozenset({1}), "bytes": b"\0a", "array": bytearray(b"a"),
    "complex": 1j, "big": 2**64 + 5, "negative": -(2**70), "huge": 10**400,
    "scalar": np.float64(1.5), "bool": np.bool_(True), "numbers": np.arange(4.0).reshape(2, 2),
    "dtype": np.dtype("f4"), "marked": marked, "tensor": tensor,
    "quantized": torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8),
    "sparse": torch.eye(2).to_sparse(), "complexes": torch.ones(2, dtype=torch.complex64),
    "f8": torch.ones(2).to(torch.float8_e4m3fn), "meta": torch.empty(2, device="meta"),
    "storage": torch.ones(2).untyped_storage(),
}
save("objects.pt", OBJECTS)
save("objects4.pt", OBJECTS, pickle_protocol=4)
save("old_net.pt", {"net": Net().state_dict(), "objects": OBJECTS},
     _use_new_zipfile_serialization=False)
save("layers.pt", {"rnn": Net().rnn.state_dict(), "fc": Net().fc.state_dict(), "epoch": 3})
save("deep.pt", {"run": {"model": Net().state_dict(), "ema": Net().state_dict()},
                 "optimizer": optimizer.state_dict()})
if is_wanted("script.pt"):
    class Scripted(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
            self.head = nn.Linear(2, 1)
            self.register_buffer("mean", torch.tensor([0.5, 0.25]))
            with torch.no_grad():
                self.head.weight.copy_(torch.tensor([[0.5, -2.0]]))

        def forward(self, x):
            return self.head(self.body(x - self.mean))

    torch.jit.script(Scripted()).save(os.path.join(FILES, "script.pt"))
