#include "train/chunks.h"

#include <algorithm>

namespace unroll::train {

Tensor steps_of(const Tensor& x, std::int64_t first, std::int64_t count) {
  const Tensor from = x.detach().contiguous();
  Shape shape = from.shape();
  shape[1] = count;
  Tensor to = Tensor::empty(shape, from.dtype());
  const auto copy = [&]<class T>(T*) {
    const T* source = from.data<T>();
    T* target = to.data<T>();
    const std::int64_t step = from.stride(1), sequence = from.stride(0);
    for (std::int64_t n = 0; n < from.size(0); ++n)
      std::copy_n(source + n * sequence + first * step, count * step, target + n * count * step);
  };
  switch (from.dtype()) {
    case DType::f32:
      copy(static_cast<float*>(nullptr));
      break;
    case DType::f64:
      copy(static_cast<double*>(nullptr));
      break;
    case DType::i64:
      copy(static_cast<std::int64_t*>(nullptr));
      break;
  }
  return to;
}

}  // namespace unroll::train
