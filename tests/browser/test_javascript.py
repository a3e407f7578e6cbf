"""`unroll export --format js` as a module in the browser, against `unroll predict`."""
import functools
import http.server
import random
import threading

import numpy
import pytest

PAGE = """<!DOCTYPE html><title>module</title><link rel="icon" href="data:,"><body>
<script type="module">
import * as model from './model.mjs';
window.model = model;
document.body.append(document.createElement('footer'));
</script>"""


@pytest.fixture
def serve(tmp_path):
    """Modules don't load from file:, so a server on this machine hands them out."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    handler.func.log_message = lambda *_: None
    handler.func.extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map,
                                   ".mjs": "text/javascript"}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.mark.parametrize("name,steps,features", (("adding", 30, 2), ("copy", 40, 10)))
def test_step_and_process_give_what_predict_gives(chromium, unroll, train, serve, tmp_path, name,
                                                  steps, features):
    rng = random.Random(1)
    inputs = [[rng.random() for _ in range(features)] for _ in range(steps)]
    unroll("export", train(name), "--format", "js", "-o", tmp_path / "model.mjs")
    (tmp_path / "index.html").write_text(PAGE)
    table = tmp_path / "inputs.csv"
    table.write_text("\n".join(",".join(map(repr, row)) for row in inputs) + "\n")
    unroll("predict", train(name), table, "--out", tmp_path / "outputs.npy")
    expected = numpy.load(tmp_path / "outputs.npy")
    chromium.open(serve + "index.html")
    step, process = chromium.js("""
        const [inputs] = arguments, {reset, step, process} = window.model;
        reset();
        const one = inputs.map((row) => Array.from(step(row)));
        reset();
        return [one, Array.from(process(inputs.flat()))];""", inputs)
    assert chromium.logs()[0] == []
    assert [x for row in step for x in row] == pytest.approx(process, abs=1e-6)
    # A model that answers at the end has one row of outputs.
    expected = expected.reshape(-1, len(step[0]))
    assert len(expected) == (steps if name == "copy" else 1)
    assert numpy.array(step)[-len(expected):] == pytest.approx(expected, abs=1e-4)
