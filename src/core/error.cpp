#include "unroll/core/error.h"

#include <fmt/format.h>

#include "core/printable.h"

namespace unroll {
namespace {

// A message may quote text of any length from a file. Its start names the error, and its end the
// remedy.
constexpr std::size_t longest = 8192, kept_at_end = 2048;

/// The last position up to `at` that is not inside a UTF-8 character.
std::size_t boundary(std::string_view text, std::size_t at) {
  constexpr std::size_t longest_character = 4;
  for (std::size_t i = 0; i < longest_character; ++i)
    if ((static_cast<unsigned char>(text[at - i]) & 0xc0) != 0x80) return at - i;
  return at;
}

std::string shortened(std::string_view message) {
  if (message.size() <= longest) return std::string(message);
  const std::size_t first = boundary(message, longest - kept_at_end),
                    last = boundary(message, message.size() - kept_at_end);
  return fmt::format("{} ... ({} bytes left out) ... {}", message.substr(0, first), last - first,
                     message.substr(last));
}

}  // namespace

Error::Error(std::string_view operation, std::string_view reason)
    : std::runtime_error(fmt::format("[{}] {}", operation, printable(shortened(reason)))),
      operation_size_(operation.size()) {}

}  // namespace unroll
