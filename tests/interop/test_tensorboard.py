"""TensorBoard itself reads the event file of a run."""
import io
import json
import os
import signal
import subprocess
import time

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

UNROLL = os.environ.get("UNROLL", "")
EVENTS = "events.out.tfevents.0.unroll"
STEPS, EVERY, CLASSES = 60, 20, 10
KEEP_ALL = {"scalars": 0, "histograms": 0, "images": 0, "tensors": 0}


@pytest.fixture(scope="module", name="data")
def small_images(tmp_path_factory):
    """Noise with a pattern for each class: learned in part."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "mnist").mkdir()
    random = np.random.default_rng(3)
    patterns = random.integers(0, 60, (CLASSES, 28, 28))
    for part, count in (("train", 300), ("t10k", 230)):
        labels = random.integers(0, CLASSES, count).astype(np.uint8)
        images = (patterns[labels] + random.integers(0, 190, (count, 28, 28))).astype(np.uint8)
        (folder / "mnist" / f"{part}-images-idx3-ubyte").write_bytes(
            bytes([0, 0, 8, 3]) + np.array(images.shape, ">i4").tobytes() + images.tobytes())
        (folder / "mnist" / f"{part}-labels-idx1-ubyte").write_bytes(
            bytes([0, 0, 8, 1]) + np.array([count], ">i4").tobytes() + labels.tobytes())
        np.save(folder / f"{part}_labels.npy", labels)
    return folder


def arguments(data, out, *flags):
    return [UNROLL, "train", "mnist", "--data-dir", str(data), "--hidden", "12", "--tensorboard",
            "--out", str(out), *flags]


@pytest.fixture(scope="module", name="run")
def finished_run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    subprocess.run(arguments(data, folder, "--steps", str(STEPS), "--eval-every", str(EVERY),
                             "--save-at", "20,40", "--clip-norm", "0.5"),
                   check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module", name="read")
def accumulator(run):
    events = EventAccumulator(str(run), KEEP_ALL)
    events.Reload()
    return events


def lines_of(run, event):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def check_scalar(read, tag, steps, values):
    scalars = read.Scalars(tag)
    assert [s.step for s in scalars] == steps
    assert [s.wall_time for s in scalars] == steps
    assert np.array_equal([s.value for s in scalars], np.float32(values))


def test_all_tags_are_there(read, run):
    weights = load_file(run / "model.safetensors").keys()
    tags = read.Tags()
    assert set(tags["scalars"]) == {"train/loss", "train/gradient_norm", "train/learning_rate",
                                    "test/loss", "test/accuracy"}
    assert set(tags["histograms"]) == {f"{kind}/{name}" for name in weights
                                       for kind in ("parameters", "gradients")}
    assert tags["images"] == ["test/confusion"]


def test_scalars_are_those_of_the_metrics(read, run):
    steps, tests = lines_of(run, "step"), lines_of(run, "eval")
    assert len(steps) == STEPS and len(tests) == STEPS // EVERY
    for tag, key in (("loss", "loss"), ("gradient_norm", "grad_norm"), ("learning_rate", "lr")):
        check_scalar(read, f"train/{tag}", [s["step"] for s in steps], [s[key] for s in steps])
    for key in ("loss", "accuracy"):
        check_scalar(read, f"test/{key}", [t["step"] for t in tests], [t[key] for t in tests])


def test_histograms_are_those_of_the_weights(read, run):
    files = {20: "step_20", 40: "step_40", 60: "model"}
    for step, file in files.items():
        for name, values in load_file(run / f"{file}.safetensors").items():
            values = values.astype(float).ravel()
            event = next(h for h in read.Histograms(f"parameters/{name}") if h.step == step)
            h = event.histogram_value
            assert (h.min, h.max, h.num) == (values.min(), values.max(), values.size)
            assert h.sum == pytest.approx(values.sum(), rel=1e-12, abs=1e-12)
            assert h.sum_squares == pytest.approx((values**2).sum(), rel=1e-12)
            limits = np.array(h.bucket_limit)
            assert np.allclose(limits, np.linspace(values.min(), values.max(), 31)[1:], atol=1e-9)
            expected = np.bincount(np.searchsorted(limits, values), minlength=30)
            assert np.array_equal(h.bucket, expected)


def test_gradients_are_clipped(read, run):
    """All gradients of a step together have the norm of the metrics, or the largest one."""
    steps = {s["step"]: s["grad_norm"] for s in lines_of(run, "step")}
    tags = [tag for tag in read.Tags()["histograms"] if tag.startswith("gradients/")]
    for at, event in enumerate(read.Histograms(tags[0])):
        squares = sum(read.Histograms(tag)[at].histogram_value.sum_squares for tag in tags)
        assert squares**0.5 == pytest.approx(min(steps[event.step], 0.5), rel=1e-5)
    assert any(norm > 0.5 for norm in steps.values())


def test_the_picture_shows_the_confusion_matrix(read, run, data, tmp_path):
    logits = tmp_path / "logits.npy"
    subprocess.run([UNROLL, "eval", run, "mnist", "--data-dir", data, "--logits", logits],
                   check=True, capture_output=True)
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (np.load(data / "t10k_labels.npy"), np.load(logits).argmax(1)), 1)
    images = read.Images("test/confusion")
    assert [image.step for image in images] == [20, 40, 60]
    last = images[-1]
    picture = Image.open(io.BytesIO(last.encoded_image_string))
    assert picture.format == "PNG" and picture.size == (last.width, last.height) == (480, 480)
    pixels = np.array(picture.convert("RGB")).astype(int)
    cells = pixels.reshape(CLASSES, 48, CLASSES, 48, 3).transpose(0, 2, 1, 3, 4)[:, :, :47, :47]
    assert (cells == cells[:, :, :1, :1]).all(), "a cell has one colour"
    assert (pixels[47::48] == 190).all() and (pixels[:, 47::48] == 190).all(), "grid"
    darkness = 255 * 3 - cells[:, :, 0, 0].sum(-1)
    assert ((darkness == 0) == (counts == 0)).all()
    shares = (counts / counts.sum(1, keepdims=True)).ravel()
    order = np.argsort(shares, kind="stable")
    assert (np.diff(darkness.ravel()[order]) >= 0).all(), "a larger share is darker"
    assert len(set(darkness.ravel())) > 5


def test_the_loader_of_the_web_page_reads_it(run):
    events = list(EventFileLoader(str(run / EVENTS)).Load())
    assert len(events) == 1 + STEPS + STEPS // EVERY
    assert events[0].file_version == "brain.Event:2"


def test_killed_and_resumed_it_has_the_same_bytes(data, tmp_path):
    flags = ["--steps", "3000", "--eval-every", "20"]
    subprocess.run(arguments(data, tmp_path / "whole", *flags, "--threads", "1"), check=True,
                   capture_output=True)
    run = tmp_path / "killed"
    command = arguments(data, run, *flags, "--checkpoint-every", "35")
    kills = 0
    for bytes_before in (20_000, 100_000, 200_000):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as program:
            while program.poll() is None:
                if (run / EVENTS).exists() and (run / EVENTS).stat().st_size > bytes_before:
                    program.send_signal(signal.SIGKILL)
                    kills += program.wait() == -signal.SIGKILL
                time.sleep(0.001)
        command = [UNROLL, "train", "--resume", str(run), "--data-dir", str(data)]
    subprocess.run(command, check=True, capture_output=True)
    assert kills > 0
    assert (run / EVENTS).read_bytes() == (tmp_path / "whole" / EVENTS).read_bytes()
    subprocess.run([UNROLL, "verify", run, "--data-dir", data], check=True, capture_output=True)
