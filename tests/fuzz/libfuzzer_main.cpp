// libFuzzer's entry: UNROLL_FUZZ_TARGET is the target's name.
#include <cstddef>
#include <cstdint>

#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  unroll::fuzz::run_within_budget(unroll::fuzz::UNROLL_FUZZ_TARGET, {data, size});
  return 0;
}
