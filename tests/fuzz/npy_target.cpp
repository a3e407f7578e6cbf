// NumPy's files: what is read can be written and read again.
#include <algorithm>
#include <cstring>
#include <vector>

#include "target.h"
#include "unroll/io/npy.h"

namespace unroll::fuzz {
namespace {

template <class T>
void write_again(const io::NpyArray& array) {
  std::vector<T> values(array.data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), array.data.data(), array.data.size());
  io::write_npy(scratch_path(), array.shape, std::span<const T>(values));
}

}  // namespace

void npy(Bytes bytes) {
  static MemoryFile file;
  file.assign(bytes);
  io::NpyArray array;
  if (!accepts([&] { array = io::read_npy(file.path()); })) return;
  require(array.data.size() <= bytes.size(), "no more data than the file has");
  io::floats_of<float>(array.view());

  array.type == io::ElementType::f32 ? write_again<float>(array) : write_again<double>(array);
  const io::NpyArray again = io::read_npy(scratch_path());
  require(again.type == array.type && again.shape == array.shape && again.data == array.data,
          "what was read, written and read again is the same");
}

}  // namespace unroll::fuzz
