// The real MNIST, which tests may use where a machine has it.
#pragma once

#include <optional>
#include <string>

namespace unroll::test {

/// The folder for --data-dir that holds mnist/ with the published files: UNROLL_DATA_DIR, or
/// ../shared/data beside the source tree. Nothing where neither has it.
std::optional<std::string> real_mnist_folder();

}  // namespace unroll::test
