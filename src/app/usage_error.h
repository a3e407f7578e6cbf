// The error for a mistake on the command line.
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
