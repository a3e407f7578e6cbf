"""What `unroll export --format onnx` writes, run by ONNX Runtime, against `unroll predict` and torch."""

import itertools
import json
import os
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file, save_file

UNROLL = os.environ["UNROLL"]
TOLERANCE = 1e-5
MEAN, STD = 0.1307, 0.3081
INPUTS, HIDDEN, CLASSES = 6, 9, 4
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def recurrent(cell="rnn", **changes):
    layer = {"type": cell, "name": cell, "input_size": INPUTS, "hidden_size": HIDDEN, "num_layers": 1}
    if cell == "rnn":
        layer["nonlinearity"] = "tanh"
    if cell == "lstm":
        layer["proj_size"] = 0
    layer |= {"bidirectional": False, "bias": True, "layer_norm": False, "zoneout_h": 0}
    if cell == "lstm":
        layer["zoneout_c"] = 0
    layer |= {"learn_initial_state": False, "readout": "last"}
    assert not changes.keys() - layer.keys()
    return layer | changes


def linear(inputs, outputs, name="fc", bias=True):
    return {"type": "linear", "name": name, "in_features": inputs, "out_features": outputs, "bias": bias}


def activation(function):
    return {"type": "activation", "function": function}


def directions(layer):
    return 2 if layer["bidirectional"] else 1


def features(layer):
    return directions(layer) * layer["hidden_size"] * (2 if layer["readout"] == "mean_last" else 1)


def with_head(layer):
    return [layer, linear(features(layer), CLASSES)]


def weights_of(layer, rng):
    def draw(*shape):
        return rng.uniform(-0.5, 0.5, shape).astype(np.float32)

    name, weights = layer.get("name"), {}
    if layer["type"] == "linear":
        weights[f"{name}.weight"] = draw(layer["out_features"], layer["in_features"])
        if layer["bias"]:
            weights[f"{name}.bias"] = draw(layer["out_features"])
    elif layer["type"] == "conv2d":
        weights[f"{name}.weight"] = draw(layer["out_channels"], layer["in_channels"], *layer["kernel"])
        if layer["bias"]:
            weights[f"{name}.bias"] = draw(layer["out_channels"])
    elif layer["type"] in GATES:
        hidden, rows = layer["hidden_size"], GATES[layer["type"]] * layer["hidden_size"]
        state = layer.get("proj_size") or hidden
        for l, end in itertools.product(range(layer["num_layers"]), ["", "_reverse"][: directions(layer)]):
            width = layer["input_size"] if l == 0 else directions(layer) * state
            weights[f"{name}.weight_ih_l{l}{end}"] = draw(rows, width)
            weights[f"{name}.weight_hh_l{l}{end}"] = draw(rows, state)
            if layer["bias"]:
                weights[f"{name}.bias_ih_l{l}{end}"] = draw(rows)
                weights[f"{name}.bias_hh_l{l}{end}"] = draw(rows)
            if state != hidden:
                weights[f"{name}.weight_hr_l{l}{end}"] = draw(state, hidden)
            if layer["layer_norm"]:
                sizes = {"ih": rows, "hh": rows} | ({"c": hidden} if layer["type"] == "lstm" else {})
                for part, size in sizes.items():
                    for kind in ("weight", "bias"):
                        weights[f"{name}.layer_norm_{part}_l{l}{end}.{kind}"] = draw(size)
        if layer["learn_initial_state"]:
            states = layer["num_layers"] * directions(layer)
            weights[f"{name}.h_0"] = draw(states, 1, state)
            if layer["type"] == "lstm":
                weights[f"{name}.c_0"] = draw(states, 1, hidden)
    return weights


class Model:
    """A model file with random weights, what it exports to, and what Unroll itself says.

    `scores` are printed by `unroll predict` as they are; `logits` as probabilities."""

    def __init__(self, folder, layers, output="scores", dtype=np.float32, **input_changes):
        self.folder, self.layers = folder, layers
        input_form = {"form": "rows", "height": 0, "width": INPUTS, "permutation": None}
        input_form |= {"mean": MEAN, "std": STD} | input_changes
        description = {"version": 3, "input": input_form, "layers": layers, "output": output}
        description |= {"dataset": "", "classes": []}
        rng = np.random.default_rng(5)
        self.weights = {}
        for layer in layers:
            self.weights |= {name: w.astype(dtype) for name, w in weights_of(layer, rng).items()}
        self.path = folder / "model.safetensors"
        save_file(self.weights, self.path, metadata={"unroll": json.dumps(description)})

    def run(self, *arguments, stdin="", check=True):
        return subprocess.run(
            [UNROLL, *map(str, arguments)], input=stdin, capture_output=True, text=True, check=check
        )

    def export(self, *flags):
        path = self.folder / "model.onnx"
        self.run("export", self.path, "--format", "onnx", "-o", path, *flags)
        onnx.checker.check_model(str(path), full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def refuse(self, *flags):
        path = self.folder / "refused.onnx"
        result = self.run("export", self.path, "--format", "onnx", "-o", path, *flags, check=False)
        assert result.returncode == 2 and not path.exists() and result.stdout == ""
        return result.stderr

    def predict(self, pixels, rows=False):
        """Of one image (rows, columns): (C), or with rows (T, C)."""
        text = "".join(" ".join(map(str, map(int, row))) + "\n" for row in pixels)
        flags = ["--json"] + (["--rows"] if rows else [])
        lines = self.run("predict", self.path, "-", *flags, stdin=text).stdout.splitlines()
        values = [next(v for k, v in json.loads(line).items() if k in ("scores", "probabilities")) for line in lines]
        return np.array(values if rows else values[0])

    def predict_all(self, images):
        return np.stack([self.predict(image) for image in images])


def pixels(*shape, seed=1):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.float32)


def outputs(session, feeds):
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))


def close(got, expected, tolerance=TOLERANCE):
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


# ---- whole sequences ----------------------------------------------------------------------------

CELLS = {
    "relu": recurrent("rnn", nonlinearity="relu"),
    "tanh": recurrent("rnn"),
    "lstm": recurrent("lstm"),
    "gru": recurrent("gru"),
}


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_cells_depths_and_directions(tmp_path, cell, depth, bidirectional):
    layer = CELLS[cell] | {"num_layers": depth, "bidirectional": bidirectional}
    model = Model(tmp_path, with_head(layer))
    session = model.export()
    for batch, steps in [(1, 1), (3, 7), (2, 20)]:
        images = pixels(batch, steps, INPUTS)
        close(outputs(session, {"input": images})["output"], model.predict_all(images))


@pytest.mark.parametrize("readout", ["last", "mean", "max", "mean_last"])
@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
def test_readouts(tmp_path, cell, readout):
    for bidirectional in (False, True):
        layer = CELLS[cell] | {"readout": readout, "num_layers": 2, "bidirectional": bidirectional}
        model = Model(tmp_path, with_head(layer))
        images = pixels(3, 8, INPUTS)
        close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


@pytest.mark.parametrize("cell", CELLS)
def test_without_biases(tmp_path, cell):
    layer = CELLS[cell] | {"bias": False, "num_layers": 2}
    model = Model(tmp_path, [layer, linear(HIDDEN, CLASSES, bias=False)])
    images = pixels(2, 5, INPUTS)
    close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_weights_of_other_precision_become_f32(tmp_path, dtype):
    model = Model(tmp_path, with_head(recurrent("lstm", num_layers=2)), dtype=dtype)
    images = pixels(2, 5, INPUTS)
    close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


MIXED = [
    linear(INPUTS, 8, "embedding"),
    activation("relu"),
    recurrent("gru", name="lower", input_size=8, hidden_size=5, readout="every_step"),
    linear(5, 7, "between", bias=False),
    activation("sigmoid"),
    recurrent("lstm", name="upper", input_size=7, num_layers=2, readout="mean_last"),
    linear(2 * HIDDEN, 8, "hidden"),
    activation("tanh"),
    linear(8, CLASSES),
]


def test_layers_around_and_between(tmp_path):
    model = Model(tmp_path, MIXED)
    images = pixels(3, 9, INPUTS)
    close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


def scale(mean, std):
    return {"type": "scale", "mean": mean, "std": std}


# A residual connection around a recurrent layer and a linear one, another around a head's two layers.
RESIDUAL = [
    scale([0.5], [2.0]),
    recurrent("gru", readout="every_step", input_size=INPUTS, hidden_size=8),
    linear(8, INPUTS, "back"),
    {"type": "residual", "over": 2},
    scale([0.1, 0.2, 0.3, -0.1, 0, 1], [1, 2, 0.5, 1, 4, 1]),
    recurrent("lstm", readout="mean"),
    linear(HIDDEN, HIDDEN, "head"),
    activation("tanh"),
    {"type": "residual", "over": 2},
    linear(HIDDEN, CLASSES),
    linear(CLASSES, CLASSES, "last"),
    {"type": "residual", "over": 1},
]


def test_residual_connections_and_scaling(tmp_path):
    model = Model(tmp_path, RESIDUAL)
    images = pixels(3, 9, INPUTS)
    close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))
    check_streaming(model)


def test_no_layer_after_the_recurrent_one(tmp_path):
    for readout in ("last", "mean", "max", "mean_last"):
        model = Model(tmp_path, [recurrent("gru", readout=readout)])
        images = pixels(2, 5, INPUTS)
        close(outputs(model.export(), {"input": images})["output"], model.predict_all(images))


@pytest.mark.parametrize("head", [True, False], ids=["head", "bare"])
def test_an_output_for_every_step(tmp_path, head):
    layer = recurrent("lstm", readout="every_step", num_layers=2)
    model = Model(tmp_path, with_head(layer) if head else [layer])
    images = pixels(2, 6, INPUTS)
    expected = np.stack([model.predict(image, rows=True) for image in images])
    close(outputs(model.export(), {"input": images})["output"], expected)


def test_logits_are_those_behind_the_probabilities(tmp_path):
    model = Model(tmp_path, with_head(recurrent("rnn")), output="logits")
    images = pixels(2, 6, INPUTS)
    logits = outputs(model.export(), {"input": images})["output"].astype(np.float64)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    close(e / e.sum(axis=1, keepdims=True), model.predict_all(images))


def test_lengths(tmp_path):
    lengths = np.array([8, 1, 5], np.int64)
    images = pixels(3, 8, INPUTS)
    for cell, readout in itertools.product(CELLS, ["last", "mean", "max", "mean_last"]):
        for bidirectional in (False, True):
            layer = CELLS[cell] | {"readout": readout, "num_layers": 2, "bidirectional": bidirectional}
            model = Model(tmp_path, with_head(layer))
            expected = np.stack([model.predict(i[:n]) for i, n in zip(images, lengths)])
            got = outputs(model.export("--lengths"), {"input": images, "lengths": lengths})
            close(got["output"], expected)


def test_lengths_with_an_output_for_every_step(tmp_path):
    lengths = np.array([2, 5], np.int64)
    images = pixels(2, 5, INPUTS)
    model = Model(tmp_path, with_head(recurrent("gru", readout="every_step")))
    got = outputs(model.export("--lengths"), {"input": images, "lengths": lengths})["output"]
    for image, length, each in zip(images, lengths, got):
        close(each[:length], model.predict(image[:length], rows=True))
        assert not each[length:].any()


# ---- states -------------------------------------------------------------------------------------


def torch_layer(layer, weights):
    kinds = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    more = {"nonlinearity": layer["nonlinearity"]} if layer["type"] == "rnn" else {}
    module = kinds[layer["type"]](
        layer["input_size"],
        layer["hidden_size"],
        layer["num_layers"],
        batch_first=True,
        bidirectional=layer["bidirectional"],
        **more,
    )
    own = {k.split(".", 1)[1]: torch.tensor(v) for k, v in weights.items() if k.startswith(layer["name"] + ".")}
    module.load_state_dict(own, strict=True)
    return module


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("cell", CELLS)
def test_states_go_in_and_out_as_in_torch(tmp_path, cell, bidirectional):
    layer = CELLS[cell] | {"num_layers": 2, "bidirectional": bidirectional, "readout": "every_step"}
    model = Model(tmp_path, [layer])
    name, rng = layer["name"], np.random.default_rng(2)
    x = rng.normal(size=(3, 6, INPUTS)).astype(np.float32)
    states = rng.normal(size=(2, 2 * directions(layer), 3, HIDDEN)).astype(np.float32)
    feeds = {"input": x, f"{name}.h_0": states[0]}
    given = torch.tensor(states[0])
    if cell == "lstm":
        feeds[f"{name}.c_0"] = states[1]
        given = (given, torch.tensor(states[1]))
    with torch.no_grad():
        y, final = torch_layer(layer, model.weights)(torch.tensor(x), given)
    got = outputs(model.export("--no-scaling"), feeds)
    close(got["output"], y.numpy())
    close(got[f"{name}.h_n"], (final[0] if cell == "lstm" else final).numpy())
    if cell == "lstm":
        close(got[f"{name}.c_n"], final[1].numpy())


def test_one_state_for_all_sequences_and_a_learnt_one(tmp_path):
    layer = recurrent("lstm", num_layers=2, learn_initial_state=True)
    model = Model(tmp_path, with_head(layer))
    session = model.export()
    images = pixels(3, 6, INPUTS)
    left_out = outputs(session, {"input": images})["output"]
    close(left_out, model.predict_all(images))
    learnt = {name: model.weights[name] for name in ("lstm.h_0", "lstm.c_0")}
    close(outputs(session, {"input": images} | learnt)["output"], left_out, 0)
    everyone = {name: np.repeat(value, 3, axis=1) for name, value in learnt.items()}
    close(outputs(session, {"input": images} | everyone)["output"], left_out, 0)
    other = {name: value + 1 for name, value in everyone.items()}
    assert abs(outputs(session, {"input": images} | other)["output"] - left_out).max() > 0.01


def test_a_sequence_in_two_pieces(tmp_path):
    model = Model(tmp_path, with_head(recurrent("gru", num_layers=2)))
    session = model.export()
    images = pixels(2, 9, INPUTS)
    first = outputs(session, {"input": images[:, :4]})
    second = outputs(session, {"input": images[:, 4:], "gru.h_0": first["gru.h_n"]})
    close(second["output"], model.predict_all(images))


# ---- one step at a time -------------------------------------------------------------------------


@pytest.mark.parametrize("readout", ["last", "mean", "max", "mean_last", "every_step"])
@pytest.mark.parametrize("cell", CELLS)
def test_streaming_equals_the_whole(tmp_path, cell, readout):
    layer = CELLS[cell] | {"num_layers": 2, "readout": readout}
    check_streaming(Model(tmp_path, with_head(layer)))


def test_streaming_with_layers_between_and_learnt_states(tmp_path):
    check_streaming(Model(tmp_path, MIXED))
    check_streaming(Model(tmp_path, with_head(recurrent("gru", learn_initial_state=True, readout="mean"))))
    check_streaming(Model(tmp_path, [recurrent("gru", readout="every_step")]))


def check_streaming(model):
    session = model.export("--streaming")
    images = pixels(2, 7, INPUTS)
    expected = np.stack([model.predict(image, rows=True) for image in images])
    carried = {}
    for t in range(images.shape[1]):
        got = outputs(session, {"input": images[:, t]} | carried)
        close(got.pop("output"), expected[:, t])
        carried = {name.removesuffix("_n") + "_0": value for name, value in got.items()}
    # Everything that is carried has an input.
    assert set(carried) == {i.name for i in session.get_overridable_initializers()}


# ---- images and vectors -------------------------------------------------------------------------

FLAT = {"form": "flat", "height": 9, "width": 8}
IMAGE = {"form": "image", "height": 9, "width": 8}


def conv(name, inputs, channels, kernel, stride=(1, 1), padding=(0, 0), bias=True):
    return {
        "type": "conv2d", "name": name, "in_channels": inputs, "out_channels": channels,
        "kernel": list(kernel), "stride": list(stride), "padding": list(padding), "bias": bias,
    }  # fmt: skip


def pool(kernel, stride, padding=(0, 0)):
    return {"type": "max_pool2d", "kernel": list(kernel), "stride": list(stride), "padding": list(padding)}


def test_logistic_regression_and_a_feedforward_network(tmp_path):
    images = pixels(3, 9, 8)
    for layers in (
        [linear(72, CLASSES)],
        [linear(72, 20, "fc1"), activation("relu"), linear(20, 10, "fc2"), activation("tanh"), linear(10, CLASSES)],
    ):
        model = Model(tmp_path, layers, **FLAT)
        got = outputs(model.export(), {"input": images.reshape(3, 72)})["output"]
        close(got, model.predict_all(images))


def test_convolutions(tmp_path):
    layers = [
        conv("cnn1", 1, 4, (5, 5), padding=(2, 2)),
        activation("relu"),
        pool((2, 2), (2, 2)),
        conv("cnn2", 4, 6, (3, 2), stride=(2, 1), padding=(1, 0), bias=False),
        pool((2, 3), (1, 1), (1, 1)),
        {"type": "flatten"},
        linear(6 * 3 * 3, CLASSES),
    ]
    model = Model(tmp_path, layers, **IMAGE)
    images = pixels(3, 9, 8)
    got = outputs(model.export(), {"input": images[:, None]})["output"]
    close(got, model.predict_all(images))


@pytest.mark.parametrize("permutation", [None, 17])
def test_pixels_one_after_the_other(tmp_path, permutation):
    layer = recurrent("gru", input_size=1)
    model = Model(tmp_path, with_head(layer), form="pixels", height=5, width=4, permutation=permutation)
    images = pixels(2, 5, 4)
    got = outputs(model.export(), {"input": images.reshape(2, 20, 1)})["output"]
    # In their own order pixels come one a line, permuted ones by the image.
    close(got, model.predict_all(images if permutation else images.reshape(2, 20, 1)))


@pytest.mark.parametrize("form", ["rows", "flat", "image"])
def test_permuted_images(tmp_path, form):
    images = pixels(2, 9, INPUTS)
    layers = {
        "rows": with_head(recurrent("rnn")),
        "flat": [linear(54, CLASSES)],
        "image": [conv("cnn", 1, 2, (9, 6)), {"type": "flatten"}, linear(2, CLASSES)],
    }[form]
    model = Model(tmp_path, layers, form=form, height=9, width=INPUTS, permutation=3)
    shape = {"rows": (2, 9, INPUTS), "flat": (2, 54), "image": (2, 1, 9, INPUTS)}[form]
    got = outputs(model.export(), {"input": images.reshape(shape)})["output"]
    close(got, model.predict_all(images))


def test_input_that_is_scaled_already(tmp_path):
    model = Model(tmp_path, with_head(recurrent("rnn")))
    images = pixels(2, 5, INPUTS)
    got = outputs(model.export("--no-scaling"), {"input": (images / 255 - np.float32(MEAN)) / np.float32(STD)})
    close(got["output"], model.predict_all(images))


def test_a_trained_model_of_a_task_reads_numbers_as_they_are(tmp_path):
    run = tmp_path / "run"
    subprocess.run(
        [UNROLL, "train", "adding", "--model", "gru", "--length", "12", "--steps", "20", "--out", str(run)],
        check=True,
        capture_output=True,
    )
    path = tmp_path / "adding.onnx"
    subprocess.run([UNROLL, "export", str(run), "--format", "onnx", "-o", str(path)], check=True, capture_output=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    weights = load_file(run / "model.safetensors")
    hidden = weights["gru.weight_hh_l0"].shape[1]
    layer = recurrent("gru", input_size=2, hidden_size=hidden)
    x = np.random.default_rng(4).uniform(size=(3, 12, 2)).astype(np.float32)
    with torch.no_grad():
        y, _ = torch_layer(layer, weights)(torch.tensor(x))
    expected = y[:, -1].numpy() @ weights["fc.weight"].T + weights["fc.bias"]
    close(outputs(session, {"input": x})["output"], expected)


# ---- what the file says, and what is refused ----------------------------------------------------


def test_the_file_describes_itself(tmp_path):
    model = Model(tmp_path, with_head(recurrent("lstm", num_layers=2, bidirectional=True)))
    session = model.export()
    shapes = {v.name: v.shape for v in session.get_inputs() + session.get_outputs()}
    assert shapes["input"] == ["batch", "time", INPUTS]
    assert shapes["output"] == ["batch", CLASSES]
    assert shapes["lstm.h_n"] == shapes["lstm.c_n"] == [4, "batch", HIDDEN]
    assert {i.name for i in session.get_overridable_initializers()} == {"lstm.h_0", "lstm.c_0"}
    description = json.loads(session.get_modelmeta().custom_metadata_map["unroll"])
    assert description["layers"] == model.layers


def test_the_bytes_are_those_of_the_onnx_package(tmp_path):
    model = Model(tmp_path, MIXED)
    model.export()
    path = tmp_path / "model.onnx"
    assert onnx.load(path).SerializeToString(deterministic=True) == path.read_bytes()


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = Model(tmp_path, MIXED)
    path = tmp_path / "model.onnx"
    model.export()
    first = path.read_bytes()
    model.export()
    assert path.read_bytes() == first


def test_what_onnx_cannot_say_is_refused_by_name(tmp_path):
    for layer, words in [
        (recurrent("lstm", proj_size=4), ['"lstm":', "projection (proj_size 4)"]),
        (recurrent("gru", layer_norm=True), ['"gru":', "layer normalisation"]),
        (recurrent("rnn", zoneout_h=0.25), ['"rnn":', "zoneout", "0.25"]),
    ]:
        out = layer.get("proj_size") or HIDDEN
        error = Model(tmp_path, [layer, linear(out, CLASSES)]).refuse()
        assert all(word in error for word in words), error


def test_streams_and_lengths_that_make_no_sense_are_refused(tmp_path):
    both_ways = Model(tmp_path, with_head(recurrent("gru", bidirectional=True)))
    assert '"gru" is bidirectional' in both_ways.refuse("--streaming")
    assert "no end" in Model(tmp_path, with_head(recurrent("gru"))).refuse("--streaming", "--lengths")
    flat = Model(tmp_path, [linear(72, CLASSES)], **FLAT)
    assert "reads no sequences" in flat.refuse("--streaming")
    assert "reads no sequences" in flat.refuse("--lengths")
    permuted = Model(tmp_path, with_head(recurrent("rnn")), height=5, permutation=1)
    assert "another order" in permuted.refuse("--streaming")
