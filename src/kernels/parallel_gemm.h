// A matrix product on all threads.
#pragma once

#include <algorithm>

#include "core/parallel.h"
#include "kernels/table.h"

namespace unroll::kernels {

/// The same product in blocks of rows on all threads: every output is still one chain, so the bits
/// are those of table<T>().gemm. Throws what table() throws.
template <class T>
void parallel_gemm(const Gemm<T>& g) {
  constexpr std::size_t kRows = 24;                            // at least, where there are so many
  constexpr std::size_t kWorthSharing = std::size_t{1} << 17;  // multiplications
  std::size_t work = 0;
  for (int i = 0; i < g.count; ++i) work += g.products[i].depth * g.products[i].repeat;
  work *= g.rows * g.columns;
  const Kernels<T>& kernels = table<T>();
  if (work < kWorthSharing) return kernels.gemm(g);
  const std::size_t parts = std::max<std::size_t>(g.rows / kRows, 1);
  parallel(parts, [&](std::size_t index) {
    const std::size_t first = index * g.rows / parts;
    const auto row = static_cast<std::ptrdiff_t>(first);
    Gemm<T> part = g;
    part.rows = (index + 1) * g.rows / parts - first;
    for (int i = 0; i < g.count; ++i) part.products[i].a += row * g.products[i].a_row;
    if (g.init) part.init += row * g.init_row;
    if (g.saved) part.saved += row * g.saved_row;
    part.out += row * g.out_row;
    kernels.gemm(part);
  });
}

}  // namespace unroll::kernels
