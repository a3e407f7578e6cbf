#!/usr/bin/env python3
"""Runs the commands and the C++ snippets of a page and compares what they print with the page.

usage: run_docs.py PAGE --unroll PROGRAM --build FOLDER [--compiler g++] [--write]

With --write it writes what was printed to the page, where they differ; read the difference before you
commit it. A line with a time becomes "...".

Every block of code on the page is fenced and has one of these kinds:

  console  Lines that begin with "$ " are commands; the lines after each are what it prints, to stdout
           and stderr. All commands run in one folder, in bash, with `unroll` on PATH. A command must
           succeed, unless the page shows an error message of the program ("unroll: ...").
  cpp      A snippet. All snippets of a page, one after the other, are the body of main() of one
           program (see FRAME). It runs where the last of them stands.
  output   What the snippet before it prints. A snippet without such a block prints nothing.
  text     Equations and drawings: not checked. So is python.

The folder of the commands has the tree's examples/. A line "..." in the expected output stands for any
number of lines. The comment <!-- before: COMMAND --> runs a command of an earlier page, without looking at its output.

Exit status: 0 if all agrees, 1 if not, 2 for a wrong command line, 77 if the page needs MNIST and this
machine doesn't have it.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
ANY = "..."
MARK = "\x1e"  # the program prints it before each snippet

FRAME = """#include <unroll/unroll.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace unroll;

int main() try {
%s
} catch (const std::exception& error) {
  std::fflush(stdout);
  std::fprintf(stderr, "%%s\\n", error.what());
  return 1;
}
"""


class PageError(Exception):
    """The page is not written by the rules above."""


class Command:
    def __init__(self, line, text, hidden=False):
        self.line, self.text, self.hidden = line, text, hidden
        self.expected = []  # (line number, text)
        self.output_after = line


class Snippet:
    def __init__(self, line, code):
        self.line, self.code = line, code
        self.expected = []
        self.has_output = False
        self.output_after = line  # the line before its output


def blocks(lines):
    """Yields (number of the first line inside, kind, lines) of each block of code, and hidden commands."""
    kind, start, inside = None, 0, []
    for number, line in enumerate(lines, 1):
        fence = re.match(r"( *)```(.*)$", line)
        if kind is None:
            hidden = re.match(r"<!-- before: (.+) -->$", line)
            if hidden:
                yield number, "before", [hidden[1]]
            elif fence:
                kind, start, inside = fence[2].strip(), number + 1, []
            elif line.startswith("    ") and line.strip() and not lines[number - 2].strip():
                raise PageError(f"{number}: indented code: fence it as console, cpp, output or text")
        elif fence and not fence[2].strip():
            yield start, kind, inside
            kind = None
        else:
            inside.append(line)
    if kind is not None:
        raise PageError(f"{start - 1}: this block has no end")


def parse(text):
    """The commands and snippets of a page, in order."""
    steps = []
    for start, kind, inside in blocks(text.splitlines()):
        numbered = [(start + i, line.rstrip()) for i, line in enumerate(inside)]
        if kind == "before":
            steps.append(Command(start, inside[0], hidden=True))
        elif kind == "console":
            if not inside or not inside[0].startswith("$ "):
                raise PageError(f"{start}: a console block begins with a command: $ unroll ...")
            for number, line in numbered:
                if line.startswith("$ "):
                    steps.append(Command(number, line[2:]))
                else:
                    steps[-1].expected.append((number, line))
        elif kind == "cpp":
            steps.append(Snippet(start, "\n".join(inside)))
        elif kind == "output":
            if not steps or not isinstance(steps[-1], Snippet) or steps[-1].has_output:
                raise PageError(f"{start}: this output follows no snippet of its own")
            steps[-1].expected, steps[-1].has_output = numbered, True
            steps[-1].output_after = start - 1
        elif kind not in ("text", "python"):
            raise PageError(f"{start - 1}: a block is console, cpp, output, text or python, not '{kind}'")
    if all(isinstance(step, Command) and step.hidden for step in steps):
        raise PageError("1: the page has no command and no snippet")
    return steps


def difference(expected, printed):
    """None if `printed` (lines) is what `expected` (numbered lines) describes. Otherwise the number of
    the first line on the page that can't be right, and what stands there in truth."""
    # reach[j]: the expected lines so far can describe the first j printed lines.
    reach = {0}
    for number, line in expected:
        if line == ANY:
            reach = set(range(min(reach), len(printed) + 1))
            continue
        after = {j + 1 for j in reach if j < len(printed) and printed[j].rstrip() == line}
        if not after:
            j = min(reach)
            return number, printed[j] if j < len(printed) else "(nothing more)"
        reach = after
    if len(printed) in reach:
        return None
    last = expected[-1][0] if expected else None
    return last, printed[max(reach)]


def without_time(line):
    return ANY if re.search(r"\bin [\d.]+ m?s\b", line) else line.rstrip()


class Page:
    def __init__(self, path, unroll, build, compiler, folder, write=False):
        self.path, self.build, self.compiler, self.write = path, build, compiler, write
        self.edits = []  # (line before, lines to replace, lines)
        self.folder = pathlib.Path(folder)
        self.failures = 0
        self.lines = 0
        tools = self.folder / "tools"
        self.work = self.folder / "work"
        tools.mkdir()
        self.work.mkdir()
        (tools / "unroll").symlink_to(unroll)
        (self.work / "examples").symlink_to(ROOT / "examples")
        self.environment = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", LC_ALL="C.UTF-8")
        shared = ROOT.parent / "shared" / "data"
        if not self.environment.get("UNROLL_DATA_DIR") and (shared / "mnist").is_dir():
            self.environment["UNROLL_DATA_DIR"] = str(shared)

    def fail(self, line, text):
        self.failures += 1
        print(f"{self.path}:{line}: {text}")

    def run(self, command):
        done = subprocess.run(command, cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def save(self):
        """Writes the edits to the page, from the last to the first."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        for before, count, printed in sorted(self.edits, reverse=True):
            lines[before:before + count] = printed
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def has_mnist(self):
        return self.run(["unroll", "data", "info", "mnist"])[0] == 0

    def compare(self, step, what, printed):
        self.lines += sum(line != ANY for _, line in step.expected)
        lines = printed.removesuffix("\n").split("\n") if printed else []
        found = difference(step.expected, lines)
        if found and self.write and not (isinstance(step, Snippet) and not step.has_output):
            self.edits.append((step.output_after, len(step.expected), [without_time(x) for x in lines]))
        elif found:
            number, truth = found
            shown = dict(step.expected).get(number)
            self.fail(number or step.line, f"{what} does not print what the page shows\n"
                      f"  page:    {'(nothing)' if shown is None else shown}\n  printed: {truth}")

    def command(self, step):
        status, printed = self.run(["bash", "-c", step.text])
        may_fail = any(line.startswith("unroll: ") for _, line in step.expected)
        if (status != 0) != may_fail:
            self.fail(step.line, f"`{step.text}` ends with status {status}:\n{printed}")
        elif not step.hidden:
            self.compare(step, f"`{step.text}`", printed)

    def program(self, snippets):
        body = "\n".join(f'std::fputs("\\x1e", stdout);\n#line {s.line} "{self.path}"\n{s.code}'
                         for s in snippets)
        source, program = self.folder / "page.cpp", self.folder / "page"
        source.write_text(FRAME % body, encoding="utf-8")
        status, printed = self.run([
            *self.compiler, "-std=c++20", "-O0", f"-I{ROOT / 'include'}", str(source), "-o", str(program),
            f"-L{self.build}", f"-Wl,-rpath,{self.build}", "-lunroll"])
        if status != 0:
            self.fail(snippets[0].line, f"the snippets do not compile:\n{printed}")
            return
        status, printed = self.run([str(program)])
        parts = printed.split(MARK)[1:]
        for snippet, part in zip(snippets, parts):
            self.compare(snippet, "this snippet", part)
        if status != 0:
            self.fail(snippets[max(len(parts) - 1, 0)].line,
                      f"the program ends with status {status} in this snippet:\n{printed[-2000:]}")

    def check(self, steps):
        commands = [step for step in steps if isinstance(step, Command)]
        snippets = [step for step in steps if isinstance(step, Snippet)]
        if any("mnist" in step.text for step in commands) or \
                any("mnist" in step.code for step in snippets):
            if not self.has_mnist():
                print(f"{self.path.name}: Skipped\nMNIST is not here; name its folder in UNROLL_DATA_DIR")
                return SKIPPED
        for step in steps:
            if isinstance(step, Command):
                self.command(step)
            elif step is snippets[-1]:
                self.program(snippets)
        if self.edits:
            self.save()
            print(f"{self.path}: {len(self.edits)} outputs written")
        shown = sum(not step.hidden for step in commands)
        print(f"{self.path.name}: {shown} commands, {len(snippets)} snippets, {self.lines} lines of output "
              f"compared, {self.failures} differ")
        return 1 if self.failures else 0


def main():
    parser = argparse.ArgumentParser(description="Runs the commands and snippets of a page.")
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--unroll", type=pathlib.Path, required=True, help="the program")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the folder of libunroll.so")
    parser.add_argument("--write", action="store_true", help="write what is printed to the page")
    parser.add_argument("--compiler", nargs="+", default=["c++"], help="the C++ compiler, with flags")
    options = parser.parse_args()
    try:
        steps = parse(options.page.read_text(encoding="utf-8"))
    except PageError as error:
        print(f"{options.page}:{error}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        page = Page(options.page, options.unroll.resolve(), options.build.resolve(), options.compiler,
                    folder, options.write)
        return page.check(steps)


if __name__ == "__main__":
    sys.exit(main())
