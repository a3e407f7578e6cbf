// The error for a description that can't be read.
#pragma once

#include <string>

#include "unroll/core/error.h"

namespace unroll::spec {

/// from_json() throws it for a damaged description. The advice in its text is for a file that a
/// program wrote. A reader of files that people write (import) takes the cause and gives its own
/// advice.
class DamagedDescription : public FormatError {
 public:
  explicit DamagedDescription(std::string_view cause);

  /// The error without the advice: "'layers' is missing".
  const std::string& cause() const noexcept { return cause_; }

 private:
  std::string cause_;
};

}  // namespace unroll::spec
