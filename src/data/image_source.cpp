#include "data/image_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/philox.h"
#include "core/printable.h"
#include "data/catalogue.h"
#include "data/check_dataset.h"
#include "data/image_inputs.h"
#include "data/images.h"
#include "data/pixel_statistics.h"
#include "data/sha256.h"
#include "data/split.h"
#include "unroll/core/error.h"
#include "unroll/data/loader.h"
#include "unroll/data/mnist.h"

namespace unroll::data {
namespace {

/// The training images of each part, in ascending order; both empty: all are for training.
struct ImageParts {
  std::vector<std::int64_t> train, validation;
};

ImageParts choose_images(const ImageOptions& options, const Dataset& set) {
  ImageParts parts;
  if (options.validate == no_part || options.validate == automatic_part) return parts;
  const auto share = share_of("validate", options.validate);
  if (!share)
    throw ValueError("validate", fmt::format("{}, expected a share of the training images such as "
                                             "0.1, or none",
                                             in_quotes(options.validate)));
  check_dataset("data", set);
  std::vector<UnitDraw> draws;
  for (std::size_t i = 0; i < set.labels.size(); ++i)
    draws.push_back({set.labels[i], split_word(options.split_seed, i)});
  for (const std::size_t i : choose_share(draws, *share))
    parts.validation.push_back(static_cast<std::int64_t>(i));
  if (parts.validation.empty())
    throw ValueError("validate", fmt::format("{} of {} training images is none; give a larger "
                                             "share, or none",
                                             options.validate, set.count));
  std::ranges::sort(parts.validation);
  for (std::int64_t i = 0; i < set.count; ++i)
    if (!std::ranges::binary_search(parts.validation, i)) parts.train.push_back(i);
  return parts;
}

/// Random images and labels instead of those of the set.
void put_noise_into(Dataset& set, std::uint64_t seed) {
  constexpr std::uint64_t kImages = 0x4e4f4953'45000002, kLabels = 0x4e4f4953'45000003;  // "NOISE"
  for (std::size_t i = 0; i < set.images.size(); ++i)
    set.images[i] = static_cast<std::uint8_t>(philox(i, kImages, seed)[0] >> 24);
  for (std::size_t i = 0; i < set.labels.size(); ++i)
    set.labels[i] = static_cast<std::uint8_t>(philox(i, kLabels, seed)[0] %
                                              static_cast<std::uint32_t>(set.classes));
  set.images_sha256 = set.labels_sha256 = fmt::format("noise {}", seed);
  set.published = false;
}

/// A new model takes the size of its images, and perhaps their scale, from the training part. A
/// model that is there says what it reads.
spec::ImageInput input_for(const ImageOptions& options, const Dataset& set,
                           std::span<const std::int64_t> train) {
  spec::ImageInput input = options.input;
  if (input.height == 0 && input.width == 0) {
    input.height = set.rows;
    input.width = set.columns;
  }
  if (options.normalize) {
    const Normalization pixels = pixel_statistics(set, train);
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

/// A set, checked, and how its images become inputs.
struct ImageSet {
  ImageSet(Dataset data, const spec::ImageInput& input)
      : set(std::move(data)), inputs(input, set.rows, set.columns) {
    check_dataset("data", set);
  }
  Dataset set;
  ImageInputs inputs;
};

class ImageSource : public Source {
 public:
  ImageSource(std::shared_ptr<const ImageSet> train, std::shared_ptr<const ImageSet> test,
              ImageParts parts, const spec::ImageInput& input, const ImageOptions& options)
      : input_(input),
        shift_(options.shift),
        classes_(std::max<std::int64_t>({options.classes, train->set.classes, test->set.classes})),
        values_(pixel_values({input_.mean, input_.std})),
        train_(std::move(train)),
        test_(std::move(test)),
        parts_(std::move(parts)) {
    const Dataset& set = train_->set;
    if (shift_ < 0 || (shift_ > 0 && shift_ >= std::min(set.rows, set.columns)))
      throw ValueError("augment", fmt::format("shift {}, expected 0 to {}", shift_,
                                              std::min(set.rows, set.columns) - 1));
  }

  std::string name() const override { return train_->set.name; }
  std::string place() const override { return train_->set.place; }
  spec::InputSpec input() const override { return input_; }
  TargetSpec target() const override { return {.size = classes_}; }
  std::int64_t size(Split split) const override {
    return has_validation() && split != Split::test ? std::ssize(images(split))
           : split == Split::validation             ? 0
                                                    : part(split).set.count;
  }
  std::string sha256(Split split) const override {
    const Dataset& set = part(split).set;
    if (has_validation() && split != Split::test) return hash_of(set, images(split));
    return split == Split::validation ? "" : set.images_sha256 + "+" + set.labels_sha256;
  }
  bool tests_while_training() const override { return !has_validation(); }
  std::shared_ptr<const Source> with_validation() const override {
    if (!has_validation()) return nullptr;
    return std::make_shared<ImageSource>(train_, test_, ImageParts{}, input_,
                                         ImageOptions{.shift = shift_, .classes = classes_});
  }
  bool augments() const override { return shift_ > 0; }
  std::optional<Normalization> pixel_scale() const override {
    return pixel_statistics(train_->set, parts_.train);
  }

  void batch(Split split, std::span<const Pick> picks, DType dtype, Examples& to) const override {
    const auto& [set, inputs] = part(split);
    if (has_validation() && split != Split::test) {
      thread_local std::vector<Pick> in_set;  // keeps its memory from batch to batch
      in_set.assign(picks.begin(), picks.end());
      for (Pick& pick : in_set) pick.index = images(split)[static_cast<std::size_t>(pick.index)];
      picks = in_set;
    }
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
    for (const auto& [which, split] : {std::pair("train", Split::train),
                                       {"validation", Split::validation},
                                       {"test", Split::test}}) {
      if (split == Split::validation && !has_validation()) continue;
      const Dataset& set = part(split).set;
      text += fmt::format("{} {}: images {}x{}x{}, labels {}\n", printable(set.name), which,
                          size(split), set.rows, set.columns, size(split));
    }
    return text;
  }
  std::string note() const override {
    if (!find_known_set(name())) return note_of_classes(train_->set, test_->set);
    if (train_->set.published && test_->set.published) return {};
    return fmt::format("the files in {} are not those published as {}", train_->set.place,
                       train_->set.name);
  }
  std::string remark() const override {
    const bool other = name() != "mnist" && find_known_set(name());
    return other ? fmt::format(" ({}, not MNIST)", name()) : "";
  }

 private:
  bool has_validation() const { return !parts_.validation.empty(); }
  const ImageSet& part(Split split) const { return split == Split::test ? *test_ : *train_; }
  const std::vector<std::int64_t>& images(Split split) const {
    return split == Split::validation ? parts_.validation : parts_.train;
  }
  static std::string hash_of(const Dataset& set, const std::vector<std::int64_t>& images) {
    Sha256 hash;
    const auto pixels = static_cast<std::size_t>(set.rows * set.columns);
    for (const std::int64_t image : images) {
      hash.add(std::as_bytes(std::span(set.image(image), pixels)));
      hash.add(std::as_bytes(std::span(set.labels).subspan(static_cast<std::size_t>(image), 1)));
    }
    return hash.digits();
  }

  spec::ImageInput input_;
  int shift_;
  std::int64_t classes_;
  std::array<float, 256> values_;
  std::shared_ptr<const ImageSet> train_, test_;
  ImageParts parts_;
};

}  // namespace

ImageSets open_image_sets(const std::string& folder) {
  return {open_folder(Split::train, folder), open_folder(Split::test, folder)};
}

std::shared_ptr<const Source> image_source(ImageSets sets, const ImageOptions& options) {
  ImageParts parts = choose_images(options, sets.train);
  const spec::ImageInput input = input_for(options, sets.train, parts.train);
  if (options.test_noise) put_noise_into(sets.test, *options.test_noise);
  auto train = std::make_shared<const ImageSet>(std::move(sets.train), input);
  auto test = std::make_shared<const ImageSet>(std::move(sets.test), input);
  return std::make_shared<ImageSource>(std::move(train), std::move(test), std::move(parts), input,
                                       options);
}

}  // namespace unroll::data
