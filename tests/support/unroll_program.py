"""A plugin of pytest for ./dev interop and ./dev browser: how to run Unroll, and the last line."""
import os
import subprocess

import pytest

UNROLL = os.environ.get("UNROLL", "")


@pytest.fixture(scope="session")
def unroll():
    """Runs the program; unroll("predict", ...) gives its output and fails on another exit code."""

    def run(*arguments, code=0, stdin=""):
        done = subprocess.run([UNROLL, *map(str, arguments)], input=stdin, capture_output=True,
                              text=True, check=False, timeout=300)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    return run


def pytest_sessionstart():
    if not os.access(UNROLL, os.X_OK):
        raise pytest.UsageError("UNROLL must name the program; use ./dev interop or ./dev browser")


def pytest_sessionfinish(session):
    """The last line is ./dev test's."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    count = {kind: len(reporter.stats.get(kind, [])) for kind in
             ("passed", "failed", "error", "skipped")}
    session.config.add_cleanup(lambda: print(
        f"{count['passed']} passed, {count['failed'] + count['error']} failed, "
        f"{count['skipped']} skipped"))
