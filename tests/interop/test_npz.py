"""What `unroll export --format npz` writes, read by NumPy."""

import json
import os
import subprocess

import numpy as np
import torch
from safetensors.torch import save_file

UNROLL = os.environ["UNROLL"]


def export(folder, tensors, *flags):
    model, archive = folder / "model.safetensors", folder / "model.npz"
    save_file(tensors, model)
    subprocess.run([UNROLL, "export", model, "--format", "npz", "-o", archive, *flags], check=True)
    return np.load(archive)  # allow_pickle is off


def test_numpy_loads_every_weight_under_its_name(tmp_path):
    torch.manual_seed(3)
    layer = torch.nn.LSTM(5, 7, num_layers=2, bidirectional=True)
    head = torch.nn.Linear(14, 3)
    tensors = {f"rnn.{k}": v for k, v in layer.state_dict().items()}
    tensors |= {f"fc.{k}": v for k, v in head.state_dict().items()}
    with export(tmp_path, tensors) as archive:
        assert set(archive) == tensors.keys() | {"description.json"}
        for name, tensor in tensors.items():
            assert archive[name].dtype == np.float32
            np.testing.assert_array_equal(archive[name], tensor.numpy())
        description = json.loads(archive["description.json"])
    layers = description["layers"]
    assert [layer["type"] for layer in layers] == ["lstm", "linear"]
    assert layers[0]["bidirectional"] and layers[0]["num_layers"] == 2


def test_types(tmp_path):
    expected = {
        torch.float64: np.float64,
        torch.float32: np.float32,
        torch.float16: np.float32,
        torch.bfloat16: np.float32,
    }
    for given, dtype in expected.items():
        weight = torch.randn(3, 28, dtype=torch.float64).to(given)
        with export(tmp_path, {"fc.weight": weight, "fc.bias": weight[:, 0].clone()}) as archive:
            assert archive["fc.weight"].dtype == dtype
            np.testing.assert_array_equal(archive["fc.weight"], weight.to(torch.float64).numpy())
