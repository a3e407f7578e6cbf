// A data set of the tests' own making, small and easily learned.
#pragma once

#include <string>

#include "support/temporary_folder.h"

namespace unroll::test {

/// Writes four idx files, 300 images of 28x28 to train with and 100 to test, below `folder`/`name`;
/// returns that path. Each of the ten classes has its own pattern of 4x4 blocks, under noise; the
/// bytes are always the same.
std::string write_small_set(const TemporaryFolder& folder, const std::string& name);

}  // namespace unroll::test
