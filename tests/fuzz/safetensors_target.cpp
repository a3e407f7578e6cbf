// Safetensors files, from memory and from disk, and what a model can be read off their names.
#include <algorithm>
#include <map>
#include <vector>

#include "target.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::fuzz {
namespace {

bool same(const io::Safetensors& a, const io::Safetensors& b) {
  const auto equal = [](const io::ArrayView& x, const io::ArrayView& y) {
    return x.name == y.name && x.type == y.type && x.shape == y.shape &&
           std::ranges::equal(x.data, y.data);
  };
  return a.metadata() == b.metadata() && std::ranges::equal(a.arrays(), b.arrays(), equal);
}

/// Every value is read: the views must lie within the file.
void convert_all(const io::Safetensors& file) {
  for (const io::ArrayView& array : file.arrays()) accepts([&] { io::floats_of<double>(array); });
}

void find_model(const io::Safetensors& file) {
  std::map<std::string, spec::Sizes> weights;
  for (const io::ArrayView& array : file.arrays()) weights[array.name] = array.shape;
  spec::ModelSpec model;
  if (accepts([&] { model = spec::from_weights(weights, {}); }))
    require(spec::differences(model, weights).empty(), "a model has the weights it was read off");
}

}  // namespace

void safetensors(Bytes bytes) {
  static MemoryFile memory;
  memory.assign(bytes);
  std::string refused_file, refused_bytes;
  const auto data = std::as_bytes(bytes);
  std::vector<io::Safetensors> read;
  const bool from_file =
      accepts([&] { read.push_back(io::Safetensors::read(memory.path())); }, &refused_file);
  const bool from_bytes = accepts(
      [&] {
        read.push_back(io::Safetensors::parse({data.begin(), data.end()}, memory.path()));
      },
      &refused_bytes);
  require(from_file == from_bytes && refused_file == refused_bytes,
          "a file and its bytes are judged alike");
  if (!from_file) return;
  const io::Safetensors& file = read[0];
  require(same(file, read[1]), "a file and its bytes hold the same");
  convert_all(file);
  find_model(file);

  io::write_safetensors(scratch_path(), file.arrays(), file.metadata());
  const io::Safetensors again = io::Safetensors::read(scratch_path());
  require(again.arrays().size() == file.arrays().size(), "as many arrays as were written");
  for (const io::ArrayView& array : file.arrays()) {
    const io::ArrayView* found = again.find(array.name);
    require(found && found->type == array.type && found->shape == array.shape &&
                std::ranges::equal(found->data, array.data),
            "an array that was read, written and read again is the same");
  }
  require(again.metadata() == file.metadata(), "metadata that was written is the same");
}

}  // namespace unroll::fuzz
