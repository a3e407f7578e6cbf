#include <optional>

#include "data/image_inputs.h"
#include "data/order.h"
#include "train/describe.h"
#include "train/problem.h"
#include "unroll/data/loader.h"

namespace unroll::train {
namespace {

class ImageProblem : public Problem {
 public:
  ImageProblem(const Config& config, const data::Dataset& train, const data::Dataset& test)
      : config_(config),
        train_(train),
        test_(test),
        spec_(describe(config, train)),
        inputs_(std::get<spec::ImageInput>(spec_.input), train.rows, train.columns) {}

  const spec::ModelSpec& description() const override { return spec_; }

  std::int64_t steps() const override {
    return config_.epochs > 0 ? config_.epochs * steps_per_epoch() : config_.steps;
  }
  std::int64_t steps_per_epoch() const override {
    return (train_.count + config_.batch_size - 1) / config_.batch_size;
  }

  Examples batch(std::int64_t, Generator& generator) override {
    make_loader(generator);
    if (next_) ++*next_;
    if (!next_ || !(*next_ != loader_->end())) next_ = loader_->begin();
    const data::Batch batch = **next_;
    return {inputs_.of(batch.images), batch.labels};
  }

  bool position(data::Loader::Position& to) const override {
    if (next_) loader_->position(*next_, to);
    return next_.has_value();
  }

  void resume(const std::optional<data::Loader::Position>& position,
              Generator& generator) override {
    next_.reset();
    if (!position) return;
    make_loader(generator);
    next_ = loader_->resume(*position);
  }

  Evaluation evaluate(const infer::Model<float>& model, Generator& generator) const override {
    return test(model, generator);
  }
  Evaluation evaluate(const infer::Model<double>& model, Generator& generator) const override {
    return test(model, generator);
  }

 private:
  void make_loader(Generator& generator) {
    if (!loader_)
      loader_.emplace(train_, data::LoaderOptions{.batch_size = config_.batch_size,
                                                  .shuffle = true,
                                                  .normalization = config_.normalization,
                                                  .dtype = config_.dtype,
                                                  .shift = config_.augment,
                                                  .shift_seed = config_.seed,
                                                  .generator = &generator});
  }

  template <class T>
  Evaluation test(const infer::Model<T>& model, Generator& generator) const {
    // With PyTorch's numbers a pass through the test set draws as its DataLoader does. The native
    // order must not depend on how often somebody looks at the accuracy.
    if (config_.rng == Rng::torch) data::unshuffled_pass(generator);
    return train::evaluate(model, test_);
  }

  Config config_;
  const data::Dataset& train_;
  const data::Dataset& test_;
  spec::ModelSpec spec_;
  data::ImageInputs inputs_;
  std::optional<data::Loader> loader_;
  std::optional<data::Loader::Iterator> next_;  // at the batch that was given out last
};

}  // namespace

std::unique_ptr<Problem> image_problem(const Config& config, const data::Dataset& train,
                                       const data::Dataset& test) {
  return std::make_unique<ImageProblem>(config, train, test);
}

}  // namespace unroll::train
