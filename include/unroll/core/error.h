// The exceptions of Unroll.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string_view>

#include "unroll/core/api.h"

namespace unroll {

/// Base class of Unroll's exceptions.
///
/// what() is one line, "[operation] reason". The reason states what was given, what was expected
/// and the remedy: "[linear] input has 27 features, weight expects 28". Control characters and
/// bytes that are not UTF-8 are escaped: \x1b. Names of files and tensors may contain them. A
/// reason longer than 8 KB loses its middle.
class UNROLL_API Error : public std::runtime_error {
 public:
  Error(std::string_view operation, std::string_view reason);

  /// The operation that failed, such as "linear". Valid as long as the error lives.
  std::string_view operation() const noexcept { return {what() + 1, operation_size_}; }
  /// what() without the operation. Valid as long as the error lives.
  std::string_view reason() const noexcept {
    constexpr std::size_t brackets = 3;  // "[] "
    return what() + brackets + operation_size_;
  }

 private:
  std::size_t operation_size_;  // not a string: copying an exception must not throw
};

/// Shapes, sizes or element types that do not fit together.
class UNROLL_API ShapeError : public Error {
 public:
  using Error::Error;
};

/// An argument or setting outside its range.
class UNROLL_API ValueError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused: a file is missing, unreadable, or the disk is full.
class UNROLL_API FileError : public Error {
 public:
  using Error::Error;
};

/// A file was read, but its content is invalid.
class UNROLL_API FormatError : public Error {
 public:
  using Error::Error;
};

}  // namespace unroll
