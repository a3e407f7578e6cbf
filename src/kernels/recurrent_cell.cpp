#include "kernels/recurrent_layout.h"

namespace unroll::kernels {
template <class T>
void cell_forward(const RecurrentShape& shape, const CellForward<T>& call) noexcept {
  if (!shape.custom) return table<T>().cells[static_cast<std::size_t>(shape.cell)].forward(call);
  for (std::size_t n = 0; n < call.rows; ++n) {
    const CellRow<T> row{call.hidden,
                         call.z.at_or_null(n),
                         call.h_before.at_or_null(n),
                         call.c_before.at_or_null(n),
                         call.h.at_or_null(n),
                         call.c.at_or_null(n)};
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
                                 call.z.at_or_null(n),
                                 call.h_before.at_or_null(n),
                                 call.c_before.at_or_null(n),
                                 call.dh.at_or_null(n),
                                 call.dc.at_or_null(n)};
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
