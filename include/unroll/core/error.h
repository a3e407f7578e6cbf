// The exceptions of Unroll.
#pragma once

#include <stdexcept>
#include <string_view>

namespace unroll {

/// Base of everything that Unroll throws.
///
/// what() is one line, "[operation] what was given, what was expected and the remedy",
/// for example "[linear] input has 27 features, weight expects 28". Control characters and bytes
/// that are not UTF-8, which names of files and tensors may have, are spelt out: \x1b.
class Error : public std::runtime_error {
 public:
  Error(std::string_view operation, std::string_view message);
};

/// Shapes, sizes or element types that do not fit together.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An argument or setting outside its range.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused: a file is missing, unreadable, or the disk is full.
class FileError : public Error {
 public:
  using Error::Error;
};

/// A file was read but its content is not what it should be.
class FormatError : public Error {
 public:
  using Error::Error;
};

}  // namespace unroll
