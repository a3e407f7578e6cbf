"""unroll.load: runs, files of Unroll, and files of PyTorch."""

import importlib.metadata
import json
import shutil

import numpy as np
import pytest
from conftest import ROOT
from models import classifier

import unroll

TORCH_FILES = ROOT / "tests/unit/import/files"  # written by PyTorch
LSTM = {
    "layers": [
        {"type": "lstm", "name": "rnn", "readout": "last"},
        {"type": "linear", "name": "fc"},
    ]
}


@pytest.fixture(scope="session")
def run(program, tmp_path_factory):
    """Return the folder of a short run."""
    folder = tmp_path_factory.mktemp("runs") / "adding"
    program("train", "adding", "--model", "gru", "--steps", 2, "--out", folder)
    return folder


def test_a_run_answers_as_the_program_does(run, program, rng, tmp_path):
    x = rng.normal(size=(4, 11, 2)).astype("float32")
    np.save(tmp_path / "x.npy", x)
    program("predict", run, tmp_path / "x.npy", "--out", tmp_path / "y.npy")
    expected = np.load(tmp_path / "y.npy")
    for path in (run, str(run), run / "model.safetensors"):
        assert unroll.load(path).predict(x).tobytes() == expected.tobytes()


def test_a_damaged_run_is_refused(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "copy")
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(unroll.FormatError, match=r"not as its run wrote it.*manifest\.json"):
        unroll.load(folder)


def test_a_folder_of_several_runs_names_one(run):
    with pytest.raises(unroll.FileError, match=r"several runs; load one of them: .*adding"):
        unroll.load(run.parent)


def test_a_saved_model_is_the_same(rng, tmp_path):
    model = classifier()
    model.save(tmp_path / "model.safetensors")
    again = unroll.load(tmp_path / "model.safetensors")
    assert again.description == model.description
    x = rng.normal(size=(2, 5, 3))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


@pytest.mark.parametrize(
    "arch", [lambda _: LSTM, lambda _: json.dumps(LSTM), lambda path: path, lambda path: str(path)]
)
def test_a_file_of_pytorch(arch, tmp_path):
    (tmp_path / "arch.json").write_text(json.dumps(LSTM))
    model = unroll.load(TORCH_FILES / "lstm.pt", arch(tmp_path / "arch.json"))
    for values in model.weights.values():  # the file was made so: (k - count / 2) / 64
        count = values.size
        expected = (np.arange(count) - count // 2) / 64
        np.testing.assert_array_equal(values.ravel(), expected.astype("float32"))


def test_a_file_of_pytorch_before_1_6():
    model = unroll.load(TORCH_FILES / "old_net.pt", LSTM)
    assert model.num_layers == 1


def test_what_the_weights_leave_open_is_asked():
    with pytest.raises(unroll.ArchitectureError, match="readout of rnn") as caught:
        unroll.load(TORCH_FILES / "lstm.pt")
    template = caught.value.architecture
    assert template in str(caught.value)
    filled = template.replace('"last | mean | max | mean_last | every_step"', '"last"')
    assert unroll.load(TORCH_FILES / "lstm.pt", filled).num_layers > 0


def test_nothing_in_a_file_is_executed():
    with pytest.raises(unroll.FormatError, match="nothing was executed"):
        unroll.load(TORCH_FILES / "attack.pt", LSTM)


def test_a_damaged_archive_is_refused(tmp_path):
    content = bytearray((TORCH_FILES / "lstm.pt").read_bytes())
    numbers = content.index(np.float32(-1 / 64).tobytes())
    content[numbers] ^= 1
    (tmp_path / "bad.pt").write_bytes(content)
    with pytest.raises(unroll.FormatError, match="CRC"):
        unroll.load(tmp_path / "bad.pt", LSTM)
    (tmp_path / "short.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(unroll.FormatError, match="archive can't be read"):
        unroll.load(tmp_path / "short.pt", LSTM)


def test_weights_of_safetensors_need_an_architecture(tmp_path, rng):
    header = {"gru.weight_ih_l0": (24, 3), "gru.weight_hh_l0": (24, 8), "fc.weight": (2, 8), "fc.bias": (2,)}
    header |= {"gru.bias_ih_l0": (24,), "gru.bias_hh_l0": (24,)}
    weights = {name: rng.normal(size=shape).astype("float32") for name, shape in header.items()}
    at, entries = 0, {}
    for name, values in weights.items():  # https://github.com/huggingface/safetensors (Format)
        entries[name] = {
            "dtype": "F32",
            "shape": values.shape,
            "data_offsets": [at, at + values.nbytes],
        }
        at += values.nbytes
    head = json.dumps(entries).encode()
    file = tmp_path / "weights.safetensors"
    file.write_bytes(len(head).to_bytes(8, "little") + head + b"".join(v.tobytes() for v in weights.values()))
    with pytest.raises(unroll.ArchitectureError):
        unroll.load(file)
    arch = {"layers": [{"type": "gru", "name": "gru", "readout": "last"}, {"type": "linear", "name": "fc"}]}
    model = unroll.load(file, arch)
    for name, values in weights.items():
        np.testing.assert_array_equal(model.weights[name], values)
    no_fc = {"layers": arch["layers"][:1]}
    assert unroll.load(file, no_fc, ignore=["fc.*"]).outputs == 8


def test_a_model_of_unroll_takes_no_architecture(tmp_path):
    classifier().save(tmp_path / "model.safetensors")
    with pytest.raises(unroll.ArgumentError, match="describes itself"):
        unroll.load(tmp_path / "model.safetensors", LSTM)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = classifier()
    weights = model.weights
    weights["fc.bias"][0] = np.nan
    unroll.Model.from_weights(model.description, weights).save(tmp_path / "nan.safetensors")
    with pytest.raises(unroll.FormatError, match=r"fc\.bias has 1 weights that are NaN"):
        unroll.load(tmp_path / "nan.safetensors")
    unroll.load(tmp_path / "nan.safetensors", allow_not_finite=True)


def test_weights_that_do_not_fit_are_named():
    model = classifier()
    weights = model.weights
    del weights["fc.bias"]
    with pytest.raises(unroll.FormatError, match=r"fc\.bias"):
        unroll.Model.from_weights(model.description, weights)


def test_files_that_are_missing(tmp_path):
    with pytest.raises(unroll.FileError, match="there is no"):
        unroll.load(tmp_path / "nothing")
    with pytest.raises(OSError, match=r"no model\.safetensors"):
        unroll.load(tmp_path)
    with pytest.raises(unroll.FileError, match="can't read the architecture"):
        unroll.load(TORCH_FILES / "lstm.pt", tmp_path / "arch.json")
    with pytest.raises(unroll.FileError):
        classifier().save(tmp_path / "no folder" / "model.safetensors")


def test_a_file_of_another_kind_is_named(tmp_path):
    np.savez(tmp_path / "x.npz", np.zeros(3))
    with pytest.raises(unroll.FormatError, match=r"\.npz archive of NumPy"):
        unroll.load(tmp_path / "x.npz")


def test_flags_of_the_program_are_arguments_here():
    only_rnn = {"layers": LSTM["layers"][:1]}
    with pytest.raises(unroll.FormatError, match="ignore=NAME") as caught:
        unroll.load(TORCH_FILES / "lstm.pt", only_rnn)
    assert "--" not in str(caught.value)


def test_weights_of_any_layout_keep_their_type(walks):
    model = walks["model"]
    weights = {name: np.asfortranarray(w.astype(np.float64)) for name, w in model.weights.items()}
    wide = unroll.Model.from_weights(model.description, weights)
    assert wide.dtype == np.float64
    for name, w in wide.weights.items():
        np.testing.assert_array_equal(w, weights[name])
    swapped = {name: w.astype(w.dtype.newbyteorder()) for name, w in model.weights.items()}
    again = unroll.Model.from_weights(model.description, swapped)
    assert again.dtype == np.float32
    for name, w in again.weights.items():
        np.testing.assert_array_equal(w, model.weights[name])


def test_a_weight_without_a_name_is_refused(walks):
    model = walks["model"]
    with pytest.raises(unroll.ArgumentError, match="the name 3 is a int"):
        unroll.Model.from_weights(model.description, {3: np.zeros(2)})


def test_the_package_has_the_version_of_the_tree():
    text = (ROOT / "CMakeLists.txt").read_text()
    try:
        version = unroll.__version__
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package is not installed here, only on the path")
    assert f"project(unroll VERSION {version}" in text
