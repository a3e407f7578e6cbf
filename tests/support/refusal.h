// What the refusals of bad input have in common (docs/robustness.md).
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "support/program.h"

namespace unroll::test {

/// Runs the program and expects that it refuses: with the exit code, and one line on stderr that
/// has all the parts (the file, what is wrong with it, the remedy) and nothing that a terminal
/// would act on. Nothing is on stdout, and nothing is left in the folder it worked in.
void expect_refused(const std::vector<std::string>& arguments, int code,
                    const std::vector<std::string>& parts, const ProgramOptions& options = {});

/// A script for ProgramOptions: the program under a limit of its address space.
std::string within_megabytes(int megabytes);

}  // namespace unroll::test
