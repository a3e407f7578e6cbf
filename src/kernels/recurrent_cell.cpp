#include "kernels/recurrent_layout.h"

namespace unroll::kernels {
namespace {

template <class T>
T* row_of(T* rows, std::size_t n, std::ptrdiff_t row) {
  return rows ? rows + static_cast<std::ptrdiff_t>(n) * row : nullptr;
}

}  // namespace

template <class T>
void cell_forward(const RecurrentShape& shape, const CellForward<T>& call) noexcept {
  if (!shape.custom) return table<T>().cells[static_cast<std::size_t>(shape.cell)].forward(call);
  for (std::size_t n = 0; n < call.rows; ++n) {
    const CellRow<T> row{call.hidden,
                         row_of(call.z, n, call.z_row),
                         row_of(call.h_before, n, call.h_before_row),
                         row_of(call.c_before, n, call.c_before_row),
                         row_of(call.h, n, call.h_row),
                         row_of(call.c, n, call.c_row)};
    if constexpr (std::is_same_v<T, float>)
      shape.custom->forward_f32(row);
    else
      shape.custom->forward_f64(row);
  }
}

template <class T>
void cell_backward(const RecurrentShape& shape, const CellBackward<T>& call) noexcept {
  if (!shape.custom) return table<T>().cells[static_cast<std::size_t>(shape.cell)].backward(call);
  for (std::size_t n = 0; n < call.rows; ++n) {
    const CellGradientRow<T> row{call.hidden,
                                 row_of(call.z, n, call.z_row),
                                 row_of(call.h_before, n, call.h_before_row),
                                 row_of(call.c_before, n, call.c_before_row),
                                 row_of(call.dh, n, call.dh_row),
                                 row_of(call.dc, n, call.dc_row)};
    if constexpr (std::is_same_v<T, float>)
      shape.custom->backward_f32(row);
    else
      shape.custom->backward_f64(row);
  }
}

template void cell_forward(const RecurrentShape&, const CellForward<float>&) noexcept;
template void cell_forward(const RecurrentShape&, const CellForward<double>&) noexcept;
template void cell_backward(const RecurrentShape&, const CellBackward<float>&) noexcept;
template void cell_backward(const RecurrentShape&, const CellBackward<double>&) noexcept;

}  // namespace unroll::kernels
