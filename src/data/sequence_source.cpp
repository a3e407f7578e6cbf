#include "data/sequence_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/printable.h"
#include "data/sequences.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

class SequenceSource : public Source {
 public:
  SequenceSource(std::string name, Sequences train, Sequences test, std::int64_t classes)
      : name_(std::move(name)),
        classes_(classes),
        train_(std::move(train), classes),
        test_(std::move(test), classes) {
    if (train_.set.features != test_.set.features)
      throw ShapeError("data", fmt::format("the training sequences have {} features, the test "
                                           "sequences {}",
                                           train_.set.features, test_.set.features));
  }

  std::string name() const override { return name_; }
  spec::InputSpec input() const override {
    return spec::SeriesInput{.features = train_.set.features};
  }
  TargetSpec target() const override { return {.size = classes_}; }
  std::int64_t size(Split split) const override {
    return split == Split::validation ? 0 : part(split).set.count();
  }
  std::span<const std::int64_t> lengths(Split split) const override {
    return part(split).set.lengths;
  }

  void batch(Split split, std::span<const Pick> picks, DType dtype, Examples& to) const override {
    const auto& [set, starts] = part(split);
    to.inputs = padded(set, starts, picks, dtype);
    to.targets = Tensor::empty({static_cast<std::int64_t>(picks.size())}, DType::i64);
    to.lengths.resize(picks.size());
    const auto labels = to.targets.values<std::int64_t>();
    for (std::size_t i = 0; i < picks.size(); ++i) {
      const auto at = static_cast<std::size_t>(picks[i].index);
      labels[i] = set.labels[at];
      to.lengths[i] = set.lengths[at];
    }
  }

  std::string sizes_text() const override {
    std::string text;
    for (const auto& [which, part] : {std::pair("train", &train_), {"test", &test_}}) {
      const auto [shortest, longest] = std::ranges::minmax(part->set.lengths);
      text += fmt::format("{} {}: {} sequences of {} to {} steps of {} numbers\n", printable(name_),
                          which, part->set.count(), shortest, longest, part->set.features);
    }
    return text;
  }

 private:
  struct Part {
    Part(Sequences sequences, std::int64_t classes)
        : set(std::move(sequences)), starts(starts_of(set.lengths)) {
      check_sequences("data", set);
      if (!set.targets.empty() || set.every_step)
        throw ValueError("data", "expected a label for each sequence, to classify");
      const auto wrong = std::ranges::find_if(
          set.labels, [&](std::int64_t label) { return label < 0 || label >= classes; });
      if (wrong != set.labels.end())
        throw ValueError("data", fmt::format("sequence {} has label {}, expected 0 to {}",
                                             wrong - set.labels.begin(), *wrong, classes - 1));
    }
    Sequences set;
    std::vector<std::int64_t> starts;
  };
  const Part& part(Split split) const { return split == Split::train ? train_ : test_; }

  std::string name_;
  std::int64_t classes_;
  Part train_, test_;
};

}  // namespace

std::shared_ptr<const Source> sequence_source(std::string name, Sequences train, Sequences test,
                                              std::int64_t classes) {
  return std::make_shared<SequenceSource>(std::move(name), std::move(train), std::move(test),
                                          classes);
}

}  // namespace unroll::data
