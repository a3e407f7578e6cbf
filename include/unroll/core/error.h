// The exceptions of Unroll.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string_view>

#include "unroll/core/api.h"

namespace unroll {

/// Base of everything that Unroll throws.
///
/// what() is one line, "[operation] reason". The reason says what was given, what was expected and
/// the remedy: "[linear] input has 27 features, weight expects 28". Control characters and bytes
/// that are not UTF-8, which names of files and tensors may have, are spelt out: \x1b. The middle
/// of a reason of more than 8 KB is left out.
class UNROLL_API Error : public std::runtime_error {
 public:
  Error(std::string_view operation, std::string_view reason);

  /// What failed, "linear". Valid as long as the error.
  std::string_view operation() const noexcept { return {what() + 1, operation_size_}; }
  /// what() without the operation, as it is printed. Valid as long as the error.
  std::string_view reason() const noexcept {
    constexpr std::size_t brackets = 3;  // "[] "
    return what() + brackets + operation_size_;
  }

 private:
  std::size_t operation_size_;  // what() is copied without throwing: nothing is stored twice
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

/// A file was read but its content is not what it should be.
class UNROLL_API FormatError : public Error {
 public:
  using Error::Error;
};

}  // namespace unroll
