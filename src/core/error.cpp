#include "unroll/core/error.h"

#include <fmt/format.h>

namespace unroll {

Error::Error(std::string_view operation, std::string_view message)
    : std::runtime_error(fmt::format("[{}] {}", operation, message)) {}

}  // namespace unroll
