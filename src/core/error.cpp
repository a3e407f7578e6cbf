#include "unroll/core/error.h"

#include <fmt/format.h>

#include "core/printable.h"

namespace unroll {

Error::Error(std::string_view operation, std::string_view message)
    : std::runtime_error(fmt::format("[{}] {}", operation, printable(message))) {}

}  // namespace unroll
