#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include "data/source_traits.h"
#include "kernels/bf16.h"
#include "support/expect_error.h"
#include "support/sources.h"
#include "support/tensors.h"
#include "train/trainer.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

/// 25 images of 4x4, no two alike, in two classes.
data::Dataset images_of_stripes() {
  data::Dataset set;
  set.name = "made up";
  set.count = 25;
  set.rows = set.columns = 4;
  set.classes = 2;
  for (int i = 0; i < 25; ++i) {
    for (int k = 0; k < 16; ++k)
      set.images.push_back(static_cast<std::uint8_t>((i * 37 + k * (i % 2 ? 11 : 5)) % 256));
    set.labels.push_back(static_cast<std::uint8_t>(i % 2));
  }
  return set;
}

struct ResumedCase {
  const char* name;
  void (*change)(Config&);
};

void PrintTo(const ResumedCase& c, std::ostream* out) { *out << c.name; }

// 25 images in batches of 10: every third step begins an epoch.
Config resumed_config(const ResumedCase& c) {
  Config config = recipe("tutorial");
  config.hidden = 6;
  config.batch_size = 10;
  config.steps = 8;
  config.lr = 0.05;
  config.clip_norm = 1;
  config.eval_every = 2;
  config.threads = 1;
  c.change(config);
  return config;
}

std::unique_ptr<Trainer> make_trainer(const Config& config, const data::Dataset& set) {
  const bool images = data::source_traits(config.dataset).pixels;
  return std::make_unique<Trainer>(config,
                                   images ? test::images(config, set) : test::source(config));
}

/// All results of a run, and its final weights.
struct Outcome {
  std::vector<std::vector<double>> told;
  std::vector<std::vector<std::uint64_t>> weights;
  bool operator==(const Outcome&) const = default;
};

/// Continues to the end, or to the step `stop_after`.
void go_on_until(Trainer& trainer, std::int64_t stop_after, Outcome& outcome) {
  std::int64_t made = 0;
  Callbacks callbacks;
  callbacks.on_step = [&](const StepResult& r) {
    made = r.step;
    outcome.told.push_back({static_cast<double>(r.step), r.loss, r.grad_norm});
  };
  callbacks.on_evaluation = [&](const StepResult& step, const Evaluation& e) {
    outcome.told.push_back({static_cast<double>(step.step), e.loss, e.accuracy().value});
  };
  callbacks.stops = [&] { return made == stop_after; };
  trainer.run({&callbacks});
  outcome.weights.clear();
  for (const Parameter& p : trainer.parameters()) outcome.weights.push_back(test::bits_of(p.value));
}

class Resumed : public testing::TestWithParam<ResumedCase> {};

TEST_P(Resumed, FromEveryStepHasTheBitsOfAnUninterruptedRun) {
  const data::Dataset set = images_of_stripes();
  const Config config = resumed_config(GetParam());
  if (config.precision == Precision::bf16 && !kernels::bf16_available())
    GTEST_SKIP() << "no AVX512_BF16 here";
  Outcome whole;
  go_on_until(*make_trainer(config, set), 0, whole);
  for (std::int64_t stop = 1; stop < config.steps; ++stop) {
    Outcome outcome;
    std::vector<std::byte> file;
    {
      const auto first = make_trainer(config, set);
      go_on_until(*first, stop, outcome);
      file = to_bytes(first->checkpoint());
    }
    Config other_threads = config;
    other_threads.threads = 2;
    const auto second = make_trainer(other_threads, set);
    second->resume(checkpoint_from(file, "file"));
    // Writing it again gives the same bytes.
    EXPECT_EQ(to_bytes(second->checkpoint()), file);
    go_on_until(*second, 0, outcome);
    EXPECT_TRUE(outcome == whole) << "after step " << stop;
  }
}

constexpr ResumedCase resumed_cases[] = {
    {"Sgd", [](Config&) {}},
    {"Momentum", [](Config& c) { c.momentum = 0.9; }},
    // The rate is so high that the loss does not fall: the schedule drops it on the way.
    {"Plateau",
     [](Config& c) {
       c.schedule = ScheduleKind::plateau;
       c.gamma = 0.5;
       c.gamma_every = 1;
       c.lr = 5;
     }},
    {"Dropout",
     [](Config& c) {
       c.dropout = 0.5;
       c.layers = 2;
     }},
    {"Zoneout",
     [](Config& c) {
       c.model = ModelKind::lstm;
       c.zoneout_h = c.zoneout_c = 0.3;
       c.optimizer = Algorithm::adam;
     }},
    {"VariationalAndWeightDrop",
     [](Config& c) {
       c.variational_dropout = 0.25;
       c.weight_drop = 0.5;
       c.layers = 2;
     }},
    {"RecurrentDropoutAndPenalties",
     [](Config& c) {
       c.model = ModelKind::gru;
       c.recurrent_dropout = 0.25;
       c.ar = 2;
       c.tar = 1;
       c.bidirectional = true;
     }},
    {"TbpttVariational",
     [](Config& c) {
       c.tbptt = 3;
       c.variational_dropout = 0.25;
       c.tar = 1;
     }},
    {"Tbptt",
     [](Config& c) {
       c.tbptt = 3;
       c.layers = 2;
       c.dropout = 0.5;
     }},
    {"Muon",
     [](Config& c) {
       c.optimizer = Algorithm::muon;
       c.momentum = 0.9;
       c.schedule = ScheduleKind::linear;
     }},
    {"AdamWCosine",
     [](Config& c) {
       c.optimizer = Algorithm::adamw;
       c.weight_decay = 0.1;
       c.schedule = ScheduleKind::cosine;
       c.dtype = DType::f64;
     }},
    {"Amsgrad",
     [](Config& c) {
       c.optimizer = Algorithm::adam;
       c.amsgrad = true;
     }},
    {"Adagrad", [](Config& c) { c.optimizer = Algorithm::adagrad; }},
    {"RmsPropOneCycle",
     [](Config& c) {
       c.optimizer = Algorithm::rmsprop;
       c.lr = 0.02;
       c.schedule = ScheduleKind::one_cycle;
     }},
    {"TorchNumbers", [](Config& c) { c.rng = Rng::torch; }},
    {"Augment", [](Config& c) { c.augment = 1; }},
    {"Cnn",
     [](Config& c) {
       c.model = ModelKind::cnn;
       c.hidden = 2;
       c.dropout = 0.2;
       c.rng = Rng::torch;
     }},
    {"Bf16", [](Config& c) { c.precision = Precision::bf16; }},
    {"Adding",
     [](Config& c) {
       c.dataset = "adding";
       c.length = 5;
     }},
    {"CopyTbptt",
     [](Config& c) {
       c.dataset = "copy";
       c.length = 5;
       c.tbptt = 4;
       c.model = ModelKind::gru;
       c.optimizer = Algorithm::adam;
     }},
};
INSTANTIATE_TEST_SUITE_P(Trainer, Resumed, testing::ValuesIn(resumed_cases),
                         [](const auto& test) { return test.param.name; });

std::vector<std::byte> bytes_after(std::int64_t step, const Config& config,
                                   const data::Dataset& set) {
  const auto trainer = make_trainer(config, set);
  Outcome ignored;
  go_on_until(*trainer, step, ignored);
  return to_bytes(trainer->checkpoint());
}

TEST(Checkpoint, OfAnotherModelIsRefused) {
  const data::Dataset set = images_of_stripes();
  Config config = resumed_config(resumed_cases[0]);
  const auto bytes = bytes_after(2, config, set);
  config.hidden = 7;
  const auto other = make_trainer(config, set);
  const std::string text =
      test::error_of<FormatError>([&] { other->resume(checkpoint_from(bytes, "file")); });
  EXPECT_NE(text.find("another model"), std::string::npos) << text;
}

TEST(Checkpoint, OfAnotherOptimizerIsRefused) {
  const data::Dataset set = images_of_stripes();
  Config config = resumed_config(resumed_cases[0]);
  const auto bytes = bytes_after(2, config, set);
  config.optimizer = Algorithm::adam;
  const auto other = make_trainer(config, set);
  const std::string text =
      test::error_of<FormatError>([&] { other->resume(checkpoint_from(bytes, "file")); });
  EXPECT_NE(text.find("exp_avg is missing"), std::string::npos) << text;
}

std::vector<std::byte> replaced(const std::vector<std::byte>& bytes, const std::string& from,
                                const std::string& to) {
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(from.size(), to.size());
  text.replace(at, from.size(), to);
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

TEST(Fault33, ACheckpointOfANewerVersion) {
  const data::Dataset set = images_of_stripes();
  const auto bytes = bytes_after(2, resumed_config(resumed_cases[0]), set);
  const auto newer = replaced(bytes, R"({\"version\":2,\"step\")", R"({\"version\":3,\"step\")");
  const std::string text = test::error_of<FormatError>([&] { checkpoint_from(newer, "file"); });
  EXPECT_NE(text.find("written by a newer version"), std::string::npos) << text;
}

TEST(Checkpoint, OfAnOlderVersionIsRefused) {
  const data::Dataset set = images_of_stripes();
  const auto bytes = bytes_after(2, resumed_config(resumed_cases[0]), set);
  const auto older = replaced(bytes, R"({\"version\":2,\"step\")", R"({\"version\":1,\"step\")");
  const std::string text = test::error_of<FormatError>([&] { checkpoint_from(older, "file"); });
  EXPECT_NE(text.find("written by an older version"), std::string::npos) << text;
}

TEST(Checkpoint, ThatLacksSomethingIsRefused) {
  const data::Dataset set = images_of_stripes();
  const auto bytes = bytes_after(2, resumed_config(resumed_cases[0]), set);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"unroll_checkpoint", "unroll_cheekpoint"},
                                                        {R"(\"masks\":)", R"(\"nasks\":)"},
                                                        {R"(\"recent\":)", R"(\"decent\":)"},
                                                        {R"(\"step\":2)", R"(\"step\":x)"},
                                                        {"\"config\":", "\"konfig\":"},
                                                        {"\"optimizer.", "\"optimiser."}}) {
    const auto damaged = replaced(bytes, from, to);
    const std::string text = test::error_of<FormatError>([&] { checkpoint_from(damaged, "file"); });
    EXPECT_NE(text.find("file is not a checkpoint"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace unroll::train
