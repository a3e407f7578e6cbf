// What the user typed can't be done as typed.
#pragma once

#include <string_view>

#include "unroll/core/error.h"

namespace unroll::app {

/// Ends the program with exit code 2.
class UsageError : public Error {
 public:
  explicit UsageError(std::string_view message) : Error("usage", message) {}
};

}  // namespace unroll::app
