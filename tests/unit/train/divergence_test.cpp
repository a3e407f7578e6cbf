// Losses explode at a chosen step, and the run goes back to its last good step.
#include "train/divergence.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "support/black_and_white.h"
#include "support/sources.h"
#include "support/tensors.h"
#include "train/trainer.h"
#include "unit/train/trainer_bits.h"

namespace unroll::train {
namespace {

constexpr std::int64_t kMostSteps = 200;
constexpr double kHuge = 1e5;  // a target; the loss is its square

/// Batches that the test chooses step by step, and four samples to test with.
class Chosen : public data::Source {
 public:
  std::string name() const override { return "chosen"; }
  std::int64_t size(data::Split part) const override {
    return part == data::Split::train ? endless : part == data::Split::test ? 4 : 0;
  }
  std::string sizes_text() const override { return {}; }

 protected:
  static std::int64_t step_of(std::span<const data::Pick> picks) {
    return picks.front().index / std::ssize(picks) + 1;
  }
};

/// A model with one weight, and targets that the test chooses. With a small rate, the loss of a
/// step is nearly the square of its target.
class Levels : public Chosen {
 public:
  using Target = std::function<double(std::int64_t step)>;
  explicit Levels(Target target, double test_target = 1)
      : target_(std::move(target)), test_target_(test_target) {}
  spec::InputSpec input() const override { return spec::VectorInput{.features = 1}; }
  data::TargetSpec target() const override {
    return {.kind = data::TargetSpec::Kind::values, .size = 1};
  }
  void batch(data::Split part, std::span<const data::Pick> picks, DType,
             data::Examples& to) const override {
    const auto count = static_cast<std::int64_t>(picks.size());
    const double target = part == data::Split::train ? target_(step_of(picks)) : test_target_;
    to = {Tensor::full({count, 1}, 1), Tensor::full({count, 1}, target), {}};
  }

 private:
  Target target_;
  double test_target_;
};

/// Falls a little with every step.
double usual(std::int64_t step) { return 10 - 0.01 * static_cast<double>(step); }

Config divergent_config() {
  Config c = recipe("tutorial", ModelKind::linear);
  c.lr = 1e-4;
  c.batch_size = 2;
  c.steps = kMostSteps;
  c.eval_every = 0;
  c.threads = 1;
  return c;
}

/// How a run ended.
struct End {
  std::int64_t failed = 0, kept = -1, made = 0;  // steps; failed is 0 if the run did not diverge
  std::int64_t evaluations = 0;                  // calls of the listener
  double test_loss = 0;
  double weights = 0;  // their sum, which is what a line answers to 1
  Bits bits;
  std::vector<std::byte> checkpoint;
  std::string text;
  bool operator==(const End&) const = default;
};

End go_on(Trainer& trainer, std::int64_t stop_after = 0) {
  End end;
  Callbacks callbacks;
  callbacks.on_step = [&](const StepResult& r) { end.made = r.step; };
  callbacks.on_evaluation = [&](const StepResult&, const Evaluation&) { ++end.evaluations; };
  callbacks.stops = [&] { return end.made == stop_after; };
  try {
    trainer.run({&callbacks});
  } catch (const Diverged& diverged) {
    end.failed = diverged.failed.step;
    end.kept = diverged.kept.step;
    end.test_loss = diverged.evaluation.loss;
    end.text = diverged.what();
  }
  end.bits = bits_of(trainer);
  for (const Parameter& p : trainer.parameters())
    for (const double w : p.value.to_vector()) end.weights += w;
  end.checkpoint = to_bytes(trainer.checkpoint());
  return end;
}

End run_to_level(const Config& config, const Levels::Target& target, std::int64_t stop_after = 0,
                 double test_target = 1) {
  Trainer trainer(config, std::make_shared<Levels>(target, test_target));
  return go_on(trainer, stop_after);
}

Levels::Target exploding_at(std::int64_t step) {
  return [step](std::int64_t s) { return s == step ? kHuge : usual(s); };
}

TEST(RemedyForDivergence, NamesTheRatesThatHaveAnEffect) {
  Config c = recipe("tuned", ModelKind::gru);
  c.lr = 3, c.lr_others = 2;
  EXPECT_EQ(remedy_for_divergence(c), "a smaller --lr or --lr-others (3 or 2 is too much here)");
  c.model = ModelKind::fnn;  // muon has no matrix to update
  EXPECT_EQ(remedy_for_divergence(c), "a smaller --lr-others (2 is too much here)");
  c.clip_norm = 0;
  EXPECT_EQ(remedy_for_divergence(c),
            "--clip-norm 1, and a smaller --lr-others (2 is too much here)");
  c.lr_others = 0.5;
  EXPECT_EQ(remedy_for_divergence(c), "--clip-norm 1");
  c.optimizer = Algorithm::adam;
  EXPECT_EQ(remedy_for_divergence(c), "--clip-norm 1, and a smaller --lr (3 is too much here)");
}

TEST(Trial01, ARunStopsBeforeTheUpdateAndGoesBackToAGoodStep) {
  const Config config = divergent_config();
  const End end = run_to_level(config, exploding_at(65));
  EXPECT_EQ(end.failed, 65);
  EXPECT_EQ(end.made, 64);
  // Every tenth step is a candidate. The loss of the next step shows that it is good.
  EXPECT_EQ(end.kept, 60);
  EXPECT_EQ(end.bits, run_to_level(config, usual, 60).bits);
  // The test evaluates the kept weights, with target 1.
  EXPECT_NEAR(end.test_loss, (end.weights - 1) * (end.weights - 1), 1e-6);
  EXPECT_NE(end.text.find("stopped at step 65: loss 1.0"), std::string::npos) << end.text;
}

// The weights get worse for 17 steps before the losses leave the range.
TEST(Trial01, TroubleBeforeTheExplosionIsNotKept) {
  const auto target = [](std::int64_t s) {
    return s < 48 ? usual(s) : s < 65 ? 70 + static_cast<double>(s) : kHuge;
  };
  const End end = run_to_level(divergent_config(), target);
  EXPECT_EQ(end.failed, 65);
  EXPECT_EQ(end.kept, 40);
  EXPECT_EQ(end.bits, run_to_level(divergent_config(), usual, 40).bits);
}

TEST(Trial01, WhereNoStepWasGoodTheBeginningIs) {
  const End end = run_to_level(divergent_config(), exploding_at(11));
  EXPECT_EQ(end.failed, 11);
  EXPECT_EQ(end.kept, 0);
  Trainer fresh(divergent_config(), std::make_shared<Levels>(usual));
  EXPECT_EQ(end.bits, bits_of(fresh));
}

// Clipping or the optimizer limits a huge update, so that it does not ruin the weights. The next
// steps may be as good as before.
TEST(Trial01, ALimitedUpdateIsNotTheEnd) {
  Config clipped = divergent_config();
  clipped.clip_norm = 1;
  Config adam = divergent_config();
  adam.optimizer = Algorithm::adam;
  for (const Config& config : {clipped, adam}) {
    EXPECT_EQ(run_to_level(config, exploding_at(65)).failed, 0);
    // A hundred such steps in a row are a divergence.
    const auto from = [](std::int64_t first, std::int64_t count) {
      return [=](std::int64_t s) { return s >= first && s < first + count ? kHuge : usual(s); };
    };
    EXPECT_EQ(run_to_level(config, from(65, 99)).failed, 0);
    const End end = run_to_level(config, from(65, 100));
    EXPECT_EQ(end.failed, 164);
    EXPECT_EQ(end.kept, 60);
    EXPECT_EQ(end.bits, run_to_level(config, usual, 60).bits);
  }
}

// No step follows the last one: only the test shows the effect of its update.
TEST(Trial01, WeightsThatTheLastUpdateRuinedAreNotKept) {
  for (const double target : {std::numeric_limits<double>::quiet_NaN(), kHuge}) {
    const End end = run_to_level(divergent_config(), usual, 0, target);
    EXPECT_EQ(end.failed, kMostSteps);
    EXPECT_EQ(end.made, kMostSteps);
    EXPECT_EQ(end.evaluations, 0);
    EXPECT_EQ(end.kept, 190);
    EXPECT_NE(end.text.find("on the test set"), std::string::npos) << end.text;
  }
}

// A run may be stopped anywhere, also while it is diverging. Resumed, it ends like a run without
// interruption, because the last good step is part of a checkpoint.
TEST(Trial01, AResumedRunGoesBackToTheSameStep) {
  Config config = divergent_config();
  config.momentum = 0.5;
  const auto target = [](std::int64_t s) {
    return s < 28 ? usual(s) : s < 45 ? 50 + static_cast<double>(s) : kHuge;
  };
  End whole = run_to_level(config, target);
  ASSERT_EQ(whole.failed, 45);
  ASSERT_EQ(whole.kept, 20);
  for (std::int64_t stop = 1; stop < whole.failed; ++stop) {
    const End first = run_to_level(config, target, stop);
    Trainer second(config, std::make_shared<Levels>(target));
    second.resume(checkpoint_from(first.checkpoint, "file"));
    EXPECT_EQ(to_bytes(second.checkpoint()), first.checkpoint);
    End end = go_on(second);
    end.made = whole.made;  // none where the next step was the last
    EXPECT_EQ(end, whole) << "after step " << stop;
  }
  // And from the checkpoint of the good step.
  Trainer again(config, std::make_shared<Levels>(target));
  again.resume(checkpoint_from(whole.checkpoint, "file"));
  EXPECT_EQ(go_on(again), whole);
}

// With images, the place in their order goes back too, also to the beginning. Squared errors grow
// without limit if the rate is above 2 / (largest curvature): from the start, or when the schedule
// reaches such a rate.
TEST(Trial01, ARunOnImagesGoesBackWithItsOrder) {
  const data::Dataset set = test::black_and_white();
  for (const ScheduleKind schedule : {ScheduleKind::constant, ScheduleKind::one_cycle})
    for (const Rng rng : {Rng::native, Rng::torch}) {
      Config config = recipe("tutorial", ModelKind::linear);
      config.batch_size = 6;
      config.steps = 400;
      config.lr = 2;
      config.schedule = schedule;
      config.rng = rng;
      config.augment = 1;
      config.eval_every = 0;
      Trainer trainer(config, test::images(config, set));
      const End end = go_on(trainer);
      ASSERT_GT(end.failed, 0);
      EXPECT_EQ(end.kept > 0, schedule == ScheduleKind::one_cycle);
      Trainer again(config, test::images(config, set));
      again.resume(checkpoint_from(end.checkpoint, "file"));
      EXPECT_EQ(go_on(again), end);
    }
}

/// Sequences of nine steps with a target each, read in chunks of three: three updates a step. In
/// one step the last chunk's inputs are huge, and the targets the wrong ones.
class Chunks : public Chosen {
 public:
  explicit Chunks(std::int64_t exploding) : exploding_(exploding) {}
  spec::InputSpec input() const override { return spec::SeriesInput{.features = 2, .steps = 9}; }
  data::TargetSpec target() const override {
    return {.kind = data::TargetSpec::Kind::step_classes, .size = 3};
  }
  void batch(data::Split part, std::span<const data::Pick> picks, DType,
             data::Examples& to) const override {
    const bool explodes = part == data::Split::train && step_of(picks) == exploding_;
    std::vector<float> inputs;
    std::vector<std::int64_t> targets;
    for (int n = 0; n < 4; ++n)
      for (int t = 0; t < 9; ++t) {
        const bool huge = explodes && t >= 6;
        const float x = huge ? 1e6f : 1;
        inputs.insert(inputs.end(), {x, n % 2 ? x : -x});
        targets.push_back(huge ? 1 - n % 2 : n % 2);
      }
    to = {Tensor::from(inputs, {4, 9, 2}), Tensor::from(targets, {4, 9}), {}};
  }

 private:
  std::int64_t exploding_;
};

TEST(Trial01, AStepOfSeveralUpdatesIsUndoneAsAWhole) {
  Config config = recipe("tutorial");
  config.lr = 0.01;
  config.eval_every = 0;
  config.tbptt = 3;
  config.threads = 1;
  config.hidden = 5;
  config.batch_size = 4;
  config.steps = kMostSteps;
  Trainer trainer(config, std::make_shared<Chunks>(37));
  const End end = go_on(trainer);
  EXPECT_EQ(end.failed, 37);
  EXPECT_EQ(end.made, 36);
  EXPECT_EQ(end.kept, 30);
  Trainer usual(config, std::make_shared<Chunks>(0));
  EXPECT_EQ(end.bits, go_on(usual, 30).bits);
}

}  // namespace
}  // namespace unroll::train
