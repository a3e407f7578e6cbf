"""The chapter "Recurrent Neural Network with PyTorch" in PyTorch's own loop, without Unroll and with it.

usage: tutorial.py [--iterations 3000]

One line is for Unroll: `unroll.torch.accelerate(model)`. MNIST must be in a folder `mnist` of the
folder that UNROLL_DATA_DIR names, or where `unroll data fetch mnist` puts it. Without MNIST the
program takes Fashion-MNIST of Debian (dataset-fashion-mnist), which has clothes instead of digits.
"""

import argparse
import gzip
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import unroll.torch

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unroll"


def data_folder() -> Path:
    """Find the four files of MNIST."""
    places = [Path(os.environ[v]) for v in ("UNROLL_DATA_DIR",) if os.environ.get(v)] + [CACHE]
    folders = [place / "mnist" for place in places] + [Path("/usr/share/datasets/fashion-mnist")]
    for folder in folders:
        if (folder / "train-images-idx3-ubyte.gz").exists():
            if folder.name != "mnist":
                print("THIS IS NOT MNIST but Fashion-MNIST: clothes, not digits")
            return folder
    sys.exit(f"tutorial.py: MNIST is not in {', nor in '.join(map(str, folders))}; set UNROLL_DATA_DIR")


def dataset(folder: Path, part: str) -> TensorDataset:
    """Read images (count, 28, 28) from 0 to 1, and labels."""
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28)
    return TensorDataset(
        torch.from_numpy(pixels.astype(np.float32) / 255),
        torch.from_numpy(np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)),
    )


class RNNModel(nn.Module):
    """Read an image row by row, and give the logits of ten digits."""

    def __init__(self, input_dim: int, hidden_dim: int, layer_dim: int, output_dim: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(input_dim, hidden_dim, layer_dim, batch_first=True, nonlinearity="relu")
        self.fc = nn.Linear(hidden_dim, output_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of images (N, 28, 28): N batch, 28 steps of 28 pixels."""
        out, _ = self.rnn(x)
        logits: Tensor = self.fc(out[:, -1, :])
        return logits


def train(train_set: TensorDataset, test_set: TensorDataset, n_iters: int, accelerated: bool) -> float:
    """Train as the chapter does, and return the seconds."""
    torch.manual_seed(0)
    train_loader = DataLoader(train_set, batch_size=100, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=100)
    model = RNNModel(28, 100, 1, 10)
    if accelerated:
        unroll.torch.accelerate(model)  # the line
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    start, iteration = time.perf_counter(), 0
    while iteration < n_iters:
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            # Not in the chapter, where the loss becomes nan with many seeds.
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()

            iteration += 1
            if iteration % 500 == 0 or iteration == n_iters:
                with torch.no_grad():
                    correct = sum(int((model(x).argmax(1) == y).sum()) for x, y in test_loader)
                accuracy = 100 * correct / len(test_set)
                print(
                    f"Iteration: {iteration}, Loss: {loss.item():.4f}, Accuracy: {accuracy:.2f}", flush=True
                )
            if iteration == n_iters:
                break
    return time.perf_counter() - start


def main() -> None:
    """Train twice, and compare the times."""
    parser = argparse.ArgumentParser(description="The chapter, by PyTorch and by Unroll.")
    parser.add_argument("--iterations", type=int, default=3000, help="training steps. Default 3000")
    n_iters = parser.parse_args().iterations
    folder = data_folder()
    train_set, test_set = dataset(folder, "train"), dataset(folder, "t10k")

    print("PyTorch:")
    without = train(train_set, test_set, n_iters, accelerated=False)
    print("With unroll.torch.accelerate(model):")
    faster = train(train_set, test_set, n_iters, accelerated=True)
    print(f"PyTorch {without:.1f} s, with Unroll {faster:.1f} s")


if __name__ == "__main__":
    main()
