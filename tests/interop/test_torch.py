"""With PyTorch: what each writes, the other reads."""


def test_the_program_runs(unroll):
    assert unroll("--version").startswith("unroll ")
