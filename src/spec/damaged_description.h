// The error of a description that can't be read.
#pragma once

#include <string>

#include "unroll/core/error.h"

namespace unroll::spec {

/// from_json() throws this for a damaged description: FormatError, whose advice is for a file that
/// a program wrote. A reader of what people write (import) gives the cause with its own advice.
class DamagedDescription : public FormatError {
 public:
  explicit DamagedDescription(std::string_view cause);

  /// What is wrong, without the advice: "'layers' is missing".
  const std::string& cause() const noexcept { return cause_; }

 private:
  std::string cause_;
};

}  // namespace unroll::spec
