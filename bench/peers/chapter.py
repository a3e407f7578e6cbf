#!/usr/bin/env python3
"""The chapter "Recurrent Neural Network with PyTorch" as its readers run it, with clipping.

    python3 chapter.py FOLDER [--preloaded]

FOLDER holds MNIST/raw/*-ubyte, where torchvision looks. 3000 iterations of batches of 100, SGD 0.1,
the gradient's norm limited to 1 (without, it diverges), accuracy every 500. --preloaded: the images
are tensors in memory, in place of torchvision's DataLoader.
"""
import sys

import torch
from torch import nn
from torchvision import datasets, transforms

BATCH, ITERATIONS, STEPS, INPUTS, HIDDEN = 100, 3000, 28, 28, 100


class RnnModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(INPUTS, HIDDEN, 1, batch_first=True, nonlinearity="relu")
        self.fc = nn.Linear(HIDDEN, 10)

    def forward(self, x):
        h0 = torch.zeros(1, x.size(0), HIDDEN)
        out, _ = self.rnn(x, h0)
        return self.fc(out[:, -1, :])


class Preloaded:
    """Batches of a data set that lies in memory as float tensors."""

    def __init__(self, dataset, shuffle):
        self.images = dataset.data.unsqueeze(1).float() / 255
        self.labels = dataset.targets
        self.shuffle = shuffle

    def __iter__(self):
        count = len(self.labels)
        order = torch.randperm(count) if self.shuffle else torch.arange(count)
        for index in order.split(BATCH):
            yield self.images[index], self.labels[index]


def loader_of(folder, train, preloaded):
    dataset = datasets.MNIST(folder, train=train, transform=transforms.ToTensor())
    if preloaded:
        return Preloaded(dataset, shuffle=train)
    return torch.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=train)


def accuracy_of(model, loader):
    correct = total = 0
    with torch.no_grad():
        for images, labels in loader:
            predicted = model(images.view(-1, STEPS, INPUTS)).argmax(1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    return 100 * correct / total


def main(folder, preloaded):
    torch.manual_seed(0)
    train_loader = loader_of(folder, True, preloaded)
    test_loader = loader_of(folder, False, preloaded)
    model = RnnModel()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    iteration = 0
    while iteration < ITERATIONS:
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images.view(-1, STEPS, INPUTS)), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            iteration += 1
            if iteration % 500 == 0:
                print(f"Iteration: {iteration}, Loss: {loss.item():.4f}, "
                      f"Accuracy: {accuracy_of(model, test_loader):.2f}")


if len(sys.argv) < 2:
    sys.exit(__doc__)
main(sys.argv[1], "--preloaded" in sys.argv[2:])
