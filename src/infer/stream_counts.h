// Checks the sizes of a stream's arrays, and says what is wrong with them.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace unroll::infer {

/// Empty if `given` is count * each * steps; otherwise the error, written to `text` (200 bytes are
/// enough). Allocates no memory, so that a real-time program can refuse a step. `what` is "inputs"
/// or "outputs".
std::string_view wrong_count(std::size_t given, std::size_t count, std::size_t each,
                             std::size_t steps, const char* what, std::span<char> text) noexcept;

}  // namespace unroll::infer
