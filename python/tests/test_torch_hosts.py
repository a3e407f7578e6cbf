"""Where a layer must work: threads, forks, data loaders, compilers, several processes."""

import os
import subprocess
import sys
import threading

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch_pairs import PAIRS, pair  # noqa: E402

nn = torch.nn


@pytest.mark.parametrize("name", PAIRS)
def test_threads_that_call_at_once(name):
    a, b = pair(name, inputs=16, hidden=32)
    x = [torch.randn(1 if k % 2 else 20, 8, 16) for k in range(8)]
    expected = [a(t)[0].detach() for t in x]
    got = [None] * len(x)

    def work(k):
        with torch.set_grad_enabled(k % 3 > 0):
            for _ in range(20):
                got[k] = b(x[k])[0].detach()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(x))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all((p - q).abs().max() < 1e-5 for p, q in zip(expected, got, strict=True))


def run_python(text, **environment):
    """Run a program of its own."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", text],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "leaked" not in done.stderr
    return done.stdout.split()


def test_a_program_may_end_with_a_graph():
    text = "import torch, unroll.torch; out = unroll.torch.GRU(3, 4)(torch.zeros(2, 1, 3)); print(1)"
    assert run_python(text) == ["1"]


def test_fork():
    text = """
import os, torch, unroll, unroll.torch
torch.set_num_threads(2)
layer, x = unroll.torch.GRU(16, 64), torch.randn(50, 64, 16)
expected = layer(x)[0].detach()
child = os.fork()
if child == 0:
    same = (layer(x)[0].detach().numpy() == expected.numpy()).all()  # PyTorch's own team is gone here
    os._exit(0 if same and unroll.num_threads() == 1 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), unroll.num_threads())
"""
    assert run_python(text) == ["0", "2"]


def test_workers_of_a_data_loader():
    text = """
import torch, unroll.torch
layer = unroll.torch.GRU(4, 8)
class Data(torch.utils.data.Dataset):
    def __len__(self): return 6
    def __getitem__(self, i):
        with torch.no_grad():
            return layer(torch.full((3, 1, 4), float(i)))[0]
layer(torch.zeros(3, 1, 4))
loaded = [t[0] for t in torch.utils.data.DataLoader(Data(), num_workers=2)]
print(all(torch.equal(t, Data()[i]) for i, t in enumerate(loaded)))
"""
    assert run_python(text) == ["True"]


def test_tasks_run_in_pytorchs_threads():
    text = """
import os, torch, unroll, unroll.torch
torch.set_num_threads(2)
layer, x = unroll.torch.GRU(64, 128), torch.randn(40, 64, 64)
torch.randn(300, 300) @ torch.randn(300, 300)
before = len(os.listdir("/proc/self/task"))
layer(x)[0].sum().backward()
print(unroll.num_threads(), len(os.listdir("/proc/self/task")) - before <= 1)  # autograd's own may begin
"""
    assert run_python(text) == ["2", "True"]


def test_import_needs_no_compiler():
    assert run_python("import sys, unroll.torch; print('torch._dynamo' in sys.modules)") == ["False"]


@pytest.mark.parametrize(
    "first",
    [
        "",
        "import torch._dynamo",
        "import importlib.util, unroll.torch; importlib.util.find_spec('torch._dynamo')",
    ],
)
def test_compile_leaves_the_layer_to_unroll(first):
    text = f"""
{first}
import torch, unroll.torch
from unroll.torch import _function
model = torch.nn.Sequential(torch.nn.Linear(7, 7), torch.nn.GRU(7, 12))
x = torch.randn(5, 2, 7)
expected = model(x)[0]
unroll.torch.accelerate(model)
calls = []
compute = _function.compute
_function.compute = lambda *a: (calls.append(1), compute(*a))[1]
compiled = torch.compile(model, backend="eager")
for _ in range(3):
    out = compiled(x)[0]
    out.sum().backward()
print(len(calls), bool((out - expected).abs().max() < 1e-5))
"""
    assert run_python(text) == ["3", "True"]


@pytest.mark.parametrize("processes", [1, 2])
def test_distributed_data_parallel(processes, tmp_path):
    text = f"""
import torch, sys
import torch.distributed as dist, torch.multiprocessing as mp
import unroll.torch
torch.set_num_threads(1)
def work(rank, world):
    dist.init_process_group("gloo", init_method="file://{tmp_path}/rendezvous", rank=rank, world_size=world)
    grads = []
    for swap in (False, True):
        torch.manual_seed(0)
        model = torch.nn.LSTM(7, 12)
        if swap:
            unroll.torch.accelerate(model)
        parallel = torch.nn.parallel.DistributedDataParallel(model)
        torch.manual_seed(1)
        x = torch.randn(5, 4, 7)[:, rank::world]
        parallel(x)[0].square().mean().backward()
        grads.append([p.grad for p in model.parameters()])
    assert all((p - q).abs().max() < 1e-6 for p, q in zip(*grads))
    if rank == 0:
        print("equal")
    dist.destroy_process_group()
if __name__ == "__main__":
    work(0, 1) if {processes} == 1 else mp.spawn(work, args=({processes},), nprocs={processes})
"""
    program = tmp_path / "program.py"
    program.write_text(text)
    done = subprocess.run(
        [sys.executable, "-P", program], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0 and done.stdout.split() == ["equal"], done.stdout + done.stderr


def test_a_new_thread_has_the_number_that_the_program_has_set():
    text = """
import threading, torch, unroll, unroll.torch
torch.set_num_threads(1)
found = []
thread = threading.Thread(target=lambda: found.append(unroll.num_threads()))
thread.start()
thread.join()
print(unroll.num_threads(), *found)
"""
    assert run_python(text) == ["1", "1"]
