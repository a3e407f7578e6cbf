// Errors whose text is part of what users see.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace unroll::test {

/// The text of the error of type E that f() throws; a failure, and "", where it throws nothing.
template <class E, class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace unroll::test
