// What a reader does with a file, as numbers that are the same on every run and machine: how many
// basic blocks of our code and of the templates in it are entered, and how much memory is held at
// once. A loop over all names for each name is seen in the first, whatever it compares and however
// fast. Not seen is work within other libraries' functions: memmove, zlib, OpenSSL.
#pragma once

#include <cstddef>
#include <cstdint>

namespace unroll::test {

struct Cost {
  std::uint64_t blocks = 0;
  std::size_t bytes = 0;  ///< of memory, at the moment when there was most of it

  friend bool operator==(const Cost&, const Cost&) = default;
};

/// From here on, by one thread.
void start_counting();

/// Since start_counting(); nothing is counted from here on.
Cost stop_counting();

/// The cost of a call, which must not throw.
template <class F>
Cost cost_of(F&& call) {
  start_counting();
  call();
  return stop_counting();
}

}  // namespace unroll::test
