#!/usr/bin/env python3
"""The CPU time of a training step on files of series: PyTorch and Unroll, one thread each.

    build/series-venv/bin/pip install torch==2.13.0
    build/series-venv/bin/python bench/peers/series_step.py SETS build/release/unroll

SETS is a folder with japanese-vowels, italy-power-demand, watch, covid3month and ud-english-atis,
each with its files. Both train the same model on the same data with the same batch: forward,
backward, clipping and Adam. PyTorch's number is the best of 30 steps, each a batch drawn at random
and packed by its lengths. Unroll's is the difference of two runs of the program, of 100 and of 600
steps, divided by 500: the best of three. CPU time is user and system time.
"""
import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from series_files import read_sentences, read_ts, read_watch, scale  # noqa: E402

WORKLOADS = {
    "japanese-vowels": dict(file="JapaneseVowels_TRAIN.ts", model="lstm", hidden=100,
                            readout="last", batch=27),
    "italy-power-demand": dict(file="ItalyPowerDemand_TRAIN.ts", model="gru", hidden=64,
                               readout="last", batch=16),
    "watch": dict(file="watch.csv.gz", model="gru", hidden=64, readout="mean", batch=64,
                  bidirectional=True,
                  flags="--task classify --target exercise --series series --group subject "
                        "--features ax,ay,az,wx,wy,wz --window 50 --stride 25"),
    "covid3month": dict(file="Covid3Month_TRAIN.ts", model="gru", hidden=32, readout="last",
                        batch=16),
    "ud-english-atis": dict(file="train.tsv", model="lstm", hidden=64, readout=None, batch=32,
                            bidirectional=True, embedding=64,
                            flags="--task label --words word --target upos"),
}


class Net(nn.Module):
    def __init__(self, work, inputs, outputs):
        super().__init__()
        self.embedding = None
        if "embedding" in work:
            self.embedding = nn.Embedding(inputs, work["embedding"])
            inputs = work["embedding"]
        both = work.get("bidirectional", False)
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[work["model"]](
            inputs, work["hidden"], batch_first=True, bidirectional=both)
        self.fc = nn.Linear(work["hidden"] * (2 if both else 1), outputs)
        self.readout = work["readout"]

    def forward(self, x, lengths):
        x = self.embedding(x) if self.embedding else x
        x = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, state = self.rnn(x)
        if self.readout == "last":
            return self.fc((state[0] if isinstance(state, tuple) else state)[-1])
        output, lengths = nn.utils.rnn.pad_packed_sequence(output, batch_first=True)
        if self.readout == "mean":
            output = output.sum(1) / lengths[:, None]
        return self.fc(output)


def numbers_of(texts):
    names = sorted(set(texts))
    return torch.tensor([names.index(text) for text in texts]), len(names)


def load(path, work):
    """Inputs and targets of each series, and how many kinds of each there are."""
    if "embedding" in work:
        sentences = read_sentences(str(path))
        words = {word: i for i, word in enumerate({w for s in sentences for w, _ in s}, 1)}
        tags = {tag: i for i, tag in enumerate({t for s in sentences for _, t in s})}
        return ([torch.tensor([words[w] for w, _ in s]) for s in sentences],
                [torch.tensor([tags[t] for _, t in s]) for s in sentences],
                len(words) + 1, len(tags))
    series, targets = read_watch(str(path))[:2] if path.suffix == ".gz" else read_ts(str(path))
    inputs = [torch.tensor(np.asarray(x, np.float32)) for x in scale(series)[0]]
    if path.name.startswith("Covid"):
        return inputs, list(torch.tensor(targets.astype(np.float32))[:, None]), 1, 1
    labels, classes = numbers_of(list(targets))
    return inputs, list(labels), inputs[0].shape[1], classes


def pytorch_ms(path, work):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    inputs, targets, size, outputs = load(path, work)
    model = Net(work, size, outputs)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    pad = nn.utils.rnn.pad_sequence
    times = []
    for _ in range(30):
        start = time.process_time()
        picks = torch.randperm(len(inputs))[:work["batch"]].tolist()
        lengths = torch.tensor([len(inputs[i]) for i in picks])
        result = model(pad([inputs[i] for i in picks], batch_first=True), lengths)
        if work["readout"] is None:
            truth = pad([targets[i] for i in picks], batch_first=True, padding_value=-100)
            loss = nn.functional.cross_entropy(result.flatten(0, 1), truth.flatten())
        else:
            truth = torch.stack([targets[i] for i in picks])
            is_class = truth.dtype == torch.int64
            loss = (nn.functional.cross_entropy if is_class else nn.functional.mse_loss)(
                result, truth)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def unroll_ms(program, path, work, out):
    command = [program, "train", str(path), *work.get("flags", "").split(), "--validate", "none",
               "--model", work["model"], "--hidden", str(work["hidden"]),
               "--batch-size", str(work["batch"]), "--optimizer", "adam", "--lr", "0.001",
               "--clip-norm", "1", "--dropout", "0", "--label-smoothing", "0",
               "--conv-channels", "0", "--eval-every", "0", "--threads", "1", "--quiet"]
    if work["readout"]:
        command += ["--readout", work["readout"]]
    command += ["--bidirectional" if work.get("bidirectional") else "--bidirectional=off"]
    if "embedding" in work:
        command += ["--embedding", str(work["embedding"])]
    names = map(str, itertools.count())
    best = {steps: min(cpu_seconds([*command, "--steps", str(steps), "--out", f"{out}/{next(names)}"])
                       for _ in range(3))
            for steps in (100, 600)}
    return 1e3 * (best[600] - best[100]) / 500


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("unroll")
    parser.add_argument("--only", choices=WORKLOADS)
    arguments = parser.parse_args()
    for name, work in WORKLOADS.items():
        if arguments.only not in (None, name):
            continue
        path = arguments.sets / name / work["file"]
        with tempfile.TemporaryDirectory() as out:
            times = {"pytorch ms": pytorch_ms(path, work),
                     "unroll ms": unroll_ms(arguments.unroll, path, work, out)}
        ratio = times["pytorch ms"] / times["unroll ms"]
        print(json.dumps({"set": name, **{key: round(value, 3) for key, value in times.items()},
                          "ratio": round(ratio, 2)}), flush=True)


main()
