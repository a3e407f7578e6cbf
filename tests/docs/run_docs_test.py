#!/usr/bin/env python3
"""run_docs.py must find every way in which a page can be wrong, and nothing on a right one.

usage: run_docs_test.py --build FOLDER [--compiler g++]
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import run_docs

RUN_DOCS = pathlib.Path(__file__).resolve().with_name("run_docs.py")
OPTIONS = argparse.Namespace()

# Stands for the program. Without MNIST unless the variable says so.
PROGRAM = """#!/bin/sh
case "$*" in
  'data info mnist') test "$HAS_MNIST" = 1 ;;
  'train mnist') echo trained >run; printf 'start\\nstep 1\\nstep 2\\nresult 97\\n' ;;
  read) cat run ;;
  fail) echo 'unroll: [train] it exploded' >&2; exit 1 ;;
  silent) ;;
  *) echo "what is $*?"; exit 2 ;;
esac
"""


def console(*lines):
    return "\n".join(["Text.", "", "```console", *lines, "```", ""])


def snippets(*parts):
    """A page of C++ snippets, each (code) or (code, output)."""
    blocks = []
    for code, *output in parts:
        blocks.append(f"```cpp\n{code}\n```\n")
        blocks += [f"```output\n{text}\n```\n" for text in output]
    return "\n".join(blocks)


class RunDocs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.program = pathlib.Path(self.folder.name) / "unroll"
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)

    def run_page(self, text, has_mnist=True, flags=()):
        page = pathlib.Path(self.folder.name) / "page.md"
        page.write_text(text)
        environment = dict(os.environ, HAS_MNIST="1" if has_mnist else "0")
        done = subprocess.run(
            [sys.executable, "-B", RUN_DOCS, page, "--unroll", self.program, "--build", OPTIONS.build,
             *flags, "--compiler", *OPTIONS.compiler], stdout=subprocess.PIPE, text=True, env=environment,
            check=False)
        return done.returncode, done.stdout

    def right(self, text, summary):
        self.assertEqual(self.run_page(text), (0, f"page.md: {summary}\n"))

    def wrong(self, text, *expected):
        status, said = self.run_page(text)
        self.assertEqual(status, 1, said)
        for part in expected:
            self.assertIn(part, said)

    def test_right_commands(self):
        self.right(console("$ unroll train mnist", "start", "step 1", "step 2", "result 97",
                           "$ unroll read", "trained"),
                   "2 commands, 0 snippets, 5 lines of output compared, 0 differ")
        self.right(console("$ unroll train mnist", "start", "...", "result 97", "...") +
                   console("$ unroll train mnist", "...", "step 2", "..."),
                   "2 commands, 0 snippets, 3 lines of output compared, 0 differ")
        self.right(console("$ unroll silent", "$ unroll fail", "unroll: [train] it exploded"),
                   "2 commands, 0 snippets, 1 lines of output compared, 0 differ")
        self.right("<!-- before: unroll train mnist -->\n" + console("$ unroll read", "trained"),
                   "1 commands, 0 snippets, 1 lines of output compared, 0 differ")

    def test_wrong_output(self):
        self.wrong(console("$ unroll train mnist", "start", "step 1", "step 3", "result 97"),
                   "page.md:7: ", "page:    step 3\n", "printed: step 2\n", "1 differ")
        self.wrong(console("$ unroll train mnist", "start", "step 1", "step 2"),
                   "page.md:7: ", "printed: result 97\n")
        self.wrong(console("$ unroll train mnist", "...", "result 97", "more"),
                   "page.md:7: ", "page:    more\n", "printed: (nothing more)\n")
        self.wrong(console("$ unroll train mnist", "...", "step 2", "step 1", "..."), "page.md:7: ")
        self.wrong(console("$ unroll train mnist"), "page.md:4: ", "page:    (nothing)\n",
                   "printed: start\n")
        self.wrong(console("$ unroll silent", "words"), "page.md:5: ")

    def test_what_is_printed_is_written(self):
        timed = "printf 'a\\n2 steps in 1.5 s: all\\n'"
        page = console("$ unroll train mnist", "start", "step 5", "$ unroll read", f"$ {timed}") + "End.\n"
        status, said = self.run_page(page, flags=["--write"])
        self.assertEqual(status, 0, said)
        self.assertIn("3 outputs written", said)
        written = (pathlib.Path(self.folder.name) / "page.md").read_text()
        self.assertEqual(written, console("$ unroll train mnist", "start", "step 1", "step 2", "result 97",
                                          "$ unroll read", "trained", f"$ {timed}", "a", "...") + "End.\n")
        self.right(written, "3 commands, 0 snippets, 6 lines of output compared, 0 differ")

    def test_wrong_status(self):
        self.wrong(console("$ unroll fail", "..."), "page.md:4: `unroll fail` ends with status 1")
        self.wrong(console("$ unroll train mnist", "...", "unroll: [train] it exploded"),
                   "page.md:4: `unroll train mnist` ends with status 0")
        self.wrong(console("$ unroll unknown", "..."), "ends with status 2")
        self.wrong("<!-- before: unroll unknown -->\n" + console("$ unroll silent"), "page.md:1: ")

    def test_right_snippets(self):
        self.right(snippets(("int x = 1;",), ('std::printf("%d\\n", x);', "1"),
                            ("struct Two { int value = 2; };",),
                            ('std::printf("%d\\n%d\\n", Two().value, ++x);', "2\n2")) +
                   console("$ unroll silent"),
                   "1 commands, 4 snippets, 3 lines of output compared, 0 differ")
        self.right(snippets(('std::printf("%s\\n", Tensor::zeros({2, 3}).shape().str().c_str());',
                             "[2, 3]")),
                   "0 commands, 1 snippets, 1 lines of output compared, 0 differ")

    def test_a_program_reads_what_commands_before_it_wrote(self):
        read = 'std::printf("%c\\n", std::fgetc(std::fopen("run", "r")));'
        self.right(console("$ unroll train mnist", "...") + snippets((read, "t")),
                   "1 commands, 1 snippets, 1 lines of output compared, 0 differ")

    def test_wrong_snippets(self):
        self.wrong(snippets(('std::puts("1");', "1"), ('std::puts("2");', "3")), "page.md:14: ",
                   "page:    3\n", "printed: 2\n")
        self.wrong(snippets(('std::puts("1");',), ('std::puts("2");', "2")), "page.md:2: ",
                   "printed: 1\n")
        self.wrong(snippets(("int x = 1;\nint y = z;",)), "do not compile", "page.md:3:")
        self.wrong(snippets(("int x = 1;",), ("nn::linear(Tensor::zeros({1, 2}), Tensor::zeros({3, 4}));",)),
                   "page.md:6: the program ends with status 1", "[linear] input has 2 features")

    def test_readers_are_shown_the_frame(self):
        start = run_docs.FRAME[:run_docs.FRAME.index("int main()")]
        index = run_docs.ROOT / "docs" / "tutorial" / "README.md"
        self.assertIn(f"```text\n{start}int main() {{\n", index.read_text(encoding="utf-8"))

    def test_pages_that_break_the_rules(self):
        self.wrong("Only text.\n", "no command and no snippet")
        self.wrong("<!-- before: unroll silent -->\n", "no command and no snippet")
        self.wrong(console("unroll silent"), "page.md:4: a console block begins with a command")
        self.wrong("```output\n1\n```\n", "page.md:2: this output follows no snippet")
        self.wrong(snippets(("int x = 1;", "1", "2")), "follows no snippet of its own")
        self.wrong("```bash\nls\n```\n", "page.md:1: a block is console, cpp, output, text or python, not 'bash'")
        self.wrong("```\nls\n```\n", "not ''")
        self.wrong("Text.\n\n    $ unroll silent\n", "page.md:3: indented code")
        self.wrong("```console\n$ unroll silent\n", "page.md:1: this block has no end")

    def test_without_mnist(self):
        status, said = self.run_page(console("$ unroll train mnist", "..."), has_mnist=False)
        self.assertEqual(status, 77)
        self.assertIn("Skipped\nMNIST is not here", said)
        status, _ = self.run_page(console("$ unroll silent"), has_mnist=False)
        self.assertEqual(status, 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--compiler", nargs="+", default=["c++"])
    parser.parse_args(namespace=OPTIONS)
    unittest.main(argv=sys.argv[:1])
