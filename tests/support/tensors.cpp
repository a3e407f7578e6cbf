#include "support/tensors.h"

#include <cstring>
#include <stdexcept>

#include "unroll/core/random.h"
#include "unroll/nn/init.h"

namespace unroll::test {
namespace {

DType dtype_of(io::ElementType type) {
  switch (type) {
    case io::ElementType::f32:
      return DType::f32;
    case io::ElementType::f64:
      return DType::f64;
    case io::ElementType::i64:
      return DType::i64;
    default:
      throw std::runtime_error("no tensor has elements of " + std::string(name_of(type)));
  }
}

/// The bytes of a contiguous tensor.
std::byte* bytes_of(const Tensor& tensor) {
  if (tensor.dtype() == DType::f32) return reinterpret_cast<std::byte*>(tensor.data<float>());
  if (tensor.dtype() == DType::f64) return reinterpret_cast<std::byte*>(tensor.data<double>());
  return reinterpret_cast<std::byte*>(tensor.data<std::int64_t>());
}

}  // namespace

Tensor tensor_of(const io::ArrayView& array) {
  Tensor tensor = Tensor::empty(Shape(array.shape), dtype_of(array.type));
  if (!array.data.empty()) std::memcpy(bytes_of(tensor), array.data.data(), array.data.size());
  return tensor;
}

Tensor random_tensor(const Shape& shape, DType dtype, std::uint64_t seed, double low, double high) {
  Generator generator(seed);
  Tensor tensor = Tensor::empty(shape, dtype);
  nn::init::uniform(tensor, low, high, generator);
  return tensor;
}

std::vector<std::uint64_t> bits_of(const Tensor& tensor) {
  const Tensor whole = tensor.detach().contiguous();
  const std::size_t size = size_of(whole.dtype());
  std::vector<std::uint64_t> bits(static_cast<std::size_t>(whole.numel()));
  const std::byte* from = bytes_of(whole);
  for (std::size_t i = 0; i < bits.size(); ++i) std::memcpy(&bits[i], from + i * size, size);
  return bits;
}

}  // namespace unroll::test
