#include "data/image_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/printable.h"
#include "data/catalogue.h"
#include "data/check_dataset.h"
#include "data/image_inputs.h"
#include "data/images.h"
#include "data/pixel_statistics.h"
#include "unroll/core/error.h"
#include "unroll/data/loader.h"
#include "unroll/data/mnist.h"

namespace unroll::data {
namespace {

/// A new model takes the size of its images, and perhaps their scale, from the training set. A
/// model that is there says what it reads.
spec::ImageInput input_for(const ImageOptions& options, const Dataset& set) {
  spec::ImageInput input = options.input;
  if (input.height == 0 && input.width == 0) {
    input.height = set.rows;
    input.width = set.columns;
  }
  if (options.normalize) {
    const Normalization pixels = pixel_statistics(set);
    if (pixels.std == 0)
      throw ValueError("data", fmt::format("all pixels of the training images in {} are the same; "
                                           "give other images, or --normalize none",
                                           set.place));
    input.mean = pixels.mean;
    input.std = pixels.std;
  }
  return input;
}

/// One damaged label can give a model 256 classes. Classes above the largest label don't count.
std::string note_of_classes(const Dataset& train, const Dataset& test) {
  std::array<bool, 256> trained{};
  for (const std::uint8_t label : train.labels) trained[label] = true;
  const auto classes = std::max(std::ranges::max(train.labels), std::ranges::max(test.labels)) + 1;
  const auto missing = std::count(trained.begin(), trained.begin() + classes, false);
  if (missing == 0) return {};
  return fmt::format("{} classes, {} of them without a training image; is a label damaged?",
                     classes, missing);
}

class ImageSource : public Source {
 public:
  ImageSource(ImageSets sets, const ImageOptions& options)
      : input_(input_for(options, sets.train)),
        shift_(options.shift),
        classes_(std::max<std::int64_t>({options.classes, sets.train.classes, sets.test.classes})),
        values_(pixel_values({input_.mean, input_.std})),
        train_(std::move(sets.train), input_),
        test_(std::move(sets.test), input_) {
    const Dataset& set = train_.set;
    if (shift_ < 0 || (shift_ > 0 && shift_ >= std::min(set.rows, set.columns)))
      throw ValueError("augment", fmt::format("shift {}, expected 0 to {}", shift_,
                                              std::min(set.rows, set.columns) - 1));
  }

  std::string name() const override { return train_.set.name; }
  std::string place() const override { return train_.set.place; }
  spec::InputSpec input() const override { return input_; }
  TargetSpec target() const override { return {.size = classes_}; }
  std::int64_t size(Split split) const override {
    return split == Split::validation ? 0 : part(split).set.count;
  }
  std::string sha256(Split split) const override {
    const Dataset& set = part(split).set;
    return set.images_sha256 + "+" + set.labels_sha256;
  }
  bool augments() const override { return shift_ > 0; }
  std::optional<Normalization> pixel_scale() const override { return pixel_statistics(train_.set); }

  void batch(Split split, std::span<const Pick> picks, DType dtype, Examples& to) const override {
    const auto& [set, inputs] = part(split);
    to.inputs = Tensor::empty(inputs.shape(static_cast<std::int64_t>(picks.size())), dtype);
    to.targets = labels_of(set, picks);
    to.lengths.clear();
    fill_images(
        set, picks,
        {.values = values_, .order = inputs.order(), .shift = split == Split::train ? shift_ : 0},
        to.inputs);
  }

  std::int64_t test_batch() const override { return 1024; }

  std::string sizes_text() const override {
    std::string text;
    for (const auto& [which, part] : {std::pair("train", &train_), {"test", &test_}}) {
      const Dataset& set = part->set;
      text += fmt::format("{} {}: images {}x{}x{}, labels {}\n", printable(set.name), which,
                          set.count, set.rows, set.columns, set.count);
    }
    return text;
  }
  std::string note() const override {
    if (!find_known_set(name())) return note_of_classes(train_.set, test_.set);
    if (train_.set.published && test_.set.published) return {};
    return fmt::format("the files in {} are not those published as {}", train_.set.place,
                       train_.set.name);
  }
  std::string remark() const override {
    const bool other = name() != "mnist" && find_known_set(name());
    return other ? fmt::format(" ({}, not MNIST)", name()) : "";
  }

 private:
  struct Part {
    Part(Dataset data, const spec::ImageInput& input)
        : set(std::move(data)), inputs(input, set.rows, set.columns) {
      check_dataset("data", set);
    }
    Dataset set;
    ImageInputs inputs;
  };
  const Part& part(Split split) const { return split == Split::train ? train_ : test_; }

  spec::ImageInput input_;
  int shift_;
  std::int64_t classes_;
  std::array<float, 256> values_;
  Part train_, test_;
};

}  // namespace

ImageSets open_image_sets(const std::string& folder) {
  return {open_folder(Split::train, folder), open_folder(Split::test, folder)};
}

std::shared_ptr<const Source> image_source(ImageSets sets, const ImageOptions& options) {
  return std::make_shared<ImageSource>(std::move(sets), options);
}

}  // namespace unroll::data
