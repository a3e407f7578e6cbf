// The exceptions of Unroll.
#pragma once

#include <stdexcept>
#include <string_view>

#include "unroll/core/api.h"

namespace unroll {

/// Base of everything that Unroll throws.
///
/// what() is one line, "[operation] what was given, what was expected and the remedy",
/// for example "[linear] input has 27 features, weight expects 28". Control characters and bytes
/// that are not UTF-8, which names of files and tensors may have, are spelt out: \x1b. The middle
/// of a message of more than 8 KB is left out.
class UNROLL_API Error : public std::runtime_error {
 public:
  Error(std::string_view operation, std::string_view message);
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
