#include "data/image_file.h"

#include <fmt/format.h>

#include "core/printable.h"
#include "data/idx.h"
#include "data/image_inputs.h"
#include "data/images.h"
#include "unroll/data/loader.h"

namespace unroll::data {
namespace {

Dataset read_images(const std::string& path, std::optional<std::int64_t> index) {
  Idx images = index ? read_idx_image(path, *index) : read_idx(path, Part::images);
  Dataset set;
  set.name = path;
  set.count = index ? 1 : images.shape[0];
  set.rows = images.shape[1];
  set.columns = images.shape[2];
  set.images = std::move(images.values);
  return set;
}

class ImageFile final : public Source {
 public:
  ImageFile(Dataset set, const spec::ImageInput& input)
      : set_(std::move(set)),
        input_(input),
        inputs_(input, set_.rows, set_.columns),
        values_(pixel_values({input.mean, input.std})) {}

  std::string name() const override { return set_.name; }
  spec::InputSpec input() const override { return input_; }
  TargetSpec target() const override { return {}; }
  std::int64_t size(Split part) const override { return part == Split::test ? set_.count : 0; }

  void batch(Split, std::span<const Pick> picks, DType dtype, Examples& to) const override {
    to.inputs = Tensor::empty(inputs_.shape(static_cast<std::int64_t>(picks.size())), dtype);
    to.targets = {};
    to.lengths.clear();
    fill_images(set_, picks, {.values = values_, .order = inputs_.order()}, to.inputs);
  }

  std::string sizes_text() const override {
    return fmt::format("{}: images {}x{}x{}\n", printable(set_.name), set_.count, set_.rows,
                       set_.columns);
  }

 private:
  Dataset set_;
  spec::ImageInput input_;
  ImageInputs inputs_;
  std::array<float, 256> values_;
};

}  // namespace

std::shared_ptr<const Source> image_file(const std::string& path, std::optional<std::int64_t> index,
                                         const spec::ImageInput& input) {
  return std::make_shared<ImageFile>(read_images(path, index), input);
}

}  // namespace unroll::data
