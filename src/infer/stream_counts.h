// How many numbers a stream's arrays hold, and what is said where they do not fit.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace unroll::infer {

/// Empty where `given` is count * each * steps; otherwise what is wrong, in `text`, which 200 bytes
/// are enough for. It asks for no memory, so that a refused step in real time does not either.
/// `what`: "inputs" or "outputs".
std::string_view wrong_count(std::size_t given, std::size_t count, std::size_t each,
                             std::size_t steps, const char* what, std::span<char> text) noexcept;

}  // namespace unroll::infer
