"""multiprocessing's children by fork, after the library used threads in the parent.

fork_test.py LIBRARY, a shared library with unroll/c.h in it.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import warnings

from ctypes_test import C, I, T, matrix, model_file, open_library

N = 256
unroll = open_library(sys.argv[1])
file = model_file()
model = unroll.unroll_model_load_memory(file, len(file))
values = [v for row in matrix(N * T, I) for v in row]
flat = (ctypes.c_float * (N * T * I))(*values)


def run(threads=None):
    """The outputs, by so many threads."""
    if threads is not None:
        assert unroll.unroll_set_num_threads(threads) == 0, unroll.unroll_last_error()
    out = (ctypes.c_float * (N * T * C))()
    status = unroll.unroll_model_run(model, flat, N * T * I, N, T, None, out, N * T * C)
    assert status == 0, unroll.unroll_last_error()
    return bytes(out)


def status_of_child(work):
    """How a child by os.fork() ends."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        work()
        os._exit(7)
    return os.waitpid(child, 0)[1]


def test_trial06_processes():
    for threads in (None, 1, 3):
        process = fork.Process(target=run, args=(threads,))
        process.start()
        process.join(60)
        assert process.exitcode == 0, process.exitcode


def test_trial06_pool():
    with fork.Pool(3) as pool:
        results = pool.map_async(run, [None, 2, 1, 4, None, 3]).get(60)
    assert results == [expected] * 6


def test_trial06_os_fork():
    assert os.waitstatus_to_exitcode(status_of_child(run)) == 7
    assert os.waitstatus_to_exitcode(status_of_child(lambda: run(2))) == 7


assert model, unroll.unroll_last_error()
expected = run(4)
fork = multiprocessing.get_context("fork")
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork() beside threads
test_trial06_processes()
test_trial06_pool()
test_trial06_os_fork()
assert run() == expected
print("children of Python", sys.version.split()[0])
