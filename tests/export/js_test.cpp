// Exported modules, run by Node. Outputs must be those of infer, and of `unroll predict`.
#include "export/js.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "export/models.h"
#include "support/shell.h"
#include "support/small_run.h"
#include "support/tensors.h"
#include "unroll/infer/stream.h"
#include "unroll/io/npy.h"

namespace unroll::exporter {
namespace {

using Json = nlohmann::json;
using test::run_program;

constexpr std::size_t kLength = 11;

/// Modules in a folder, and what check.mjs must find of each.
class Modules {
 public:
  std::string operator/(const std::string& name) const { return folder_ / name; }
  void add(const std::string& name, const std::string& text, Json expected) {
    expected["module"] = folder_.write(name + ".mjs", text);
    add(name, std::move(expected));
  }
  /// For a module that is there.
  void add(const std::string& name, Json expected) {
    expected["name"] = name;
    cases_.push_back(std::move(expected));
  }
  void check() const {
    const std::string cases = folder_.write("cases.json", cases_.dump());
    const auto ran =
        test::shell(fmt::format("node '{}/tests/export/check.mjs' '{}'", UNROLL_SOURCE_DIR, cases));
    EXPECT_EQ(ran.status, 0);
    EXPECT_TRUE(ran.text.ends_with(fmt::format("{} modules: all right\n", cases_.size())))
        << ran.text;
    fmt::print("{}", ran.text);
  }

 private:
  test::TemporaryFolder folder_;
  Json cases_ = Json::array();
};

/// Two sequences of kLength steps, or two other inputs.
Json expected_of(const infer::Model<float>& model) {
  const bool sequences = spec::is_sequence(model.description().input);
  const std::size_t steps = sequences ? kLength : 1;
  const auto count = static_cast<std::int64_t>(2 * steps * model.inputs());
  std::vector<float> x = test::some_tokens<float>(2 * steps);
  if (!std::holds_alternative<spec::TokenInput>(model.description().input)) {
    const Tensor random = test::random_tensor({count}, DType::f32, 7);
    x.assign(random.values<float>().begin(), random.values<float>().end());
  }
  const bool every_step = infer::gives_sequences(model.description());
  std::vector<float> whole(2 * (every_step ? steps : 1) * model.outputs());
  model.run(x, 2, steps, whole);
  Json expected = {{"steps", steps},
                   {"inputs", model.inputs()},
                   {"outputs", model.outputs()},
                   {"everyStep", every_step},
                   {"x", x},
                   {"whole", whole}};
  if (sequences && !infer::is_bidirectional(model.description())) {
    std::vector<float> each(steps * model.outputs());
    infer::Stream<float> stream = model.stream();
    stream.process(std::span(x).first(x.size() / 2), each, steps);
    expected["stream"] = each;
    for (std::size_t l = 0; l < stream.layers(); ++l) {
      expected["h"].push_back(stream.h(l));
      expected["c"].push_back(stream.c(l));
    }
  }
  return expected;
}

TEST(ExportedModule, GivesWhatInferGives) {
  if (!test::is_there("node")) GTEST_SKIP() << "no node";
  std::vector<infer::Named> models = test::streaming_models();
  for (const infer::Named& named : infer::recurrent_models())
    if (infer::is_bidirectional(named.spec)) models.push_back(named);
  for (const infer::Named& named : infer::image_models()) models.push_back(named);
  infer::Named scaled = models.front();
  scaled.name = "ScaledSeries";
  scaled.spec.input = spec::SeriesInput{.features = 5,
                                        .names = {"a", "b", "</script>", "__proto__", "\u2028"},
                                        .mean = {1, 2, 3, 4, 5},
                                        .std = {1, .5, 2, 3, 4}};
  models.push_back(scaled);
  Modules modules;
  for (const infer::Named& named : models) {
    const test::RandomWeights weights(named.spec);
    modules.add(named.name, js_module(named.spec, weights.views()),
                expected_of(infer::Model<float>(named.spec, weights.views())));
  }
  modules.check();
}

/// The pixels of image `index` of an idx file.
std::vector<int> pixels_of(const std::string& path, std::size_t index) {
  const std::string bytes = test::content_of(path);
  std::vector<int> pixels;
  for (std::size_t i = 0; i < 28 * 28; ++i)
    pixels.push_back(static_cast<unsigned char>(bytes.at(16 + index * 28 * 28 + i)));
  return pixels;
}

TEST(ExportedModule, ReadsImagesAsPredictDoes) {
  if (!test::is_there("node")) GTEST_SKIP() << "no node";
  const test::SmallRun runs;
  Modules modules;
  const std::pair<const char*, std::vector<std::string>> kinds[] = {
      {"rnn", {"--model", "rnn"}},
      {"lstm_both", {"--model", "lstm", "--bidirectional", "--layers", "2", "--hidden", "9"}},
      {"gru_permuted", {"--model", "gru", "--pixels", "--permute", "3", "--hidden", "5"}},
      {"cnn", {"--model", "cnn"}},
      {"fnn", {"--model", "fnn"}},
      {"logistic", {"--model", "logistic"}}};
  for (const auto& [name, flags] : kinds) {
    std::vector<std::string> arguments = {"--steps", "5"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const auto trained = runs.train(name, arguments);
    ASSERT_EQ(trained.code, 0) << trained.err;
    const std::string module = modules / (name + std::string(".mjs"));
    const auto exported =
        run_program({"export", runs.folder / name, "--format", "js", "-o", module});
    ASSERT_EQ(exported.code, 0) << exported.err;
    EXPECT_TRUE(exported.out.starts_with(module + ": ")) << exported.out;
    Json expected = {
        {"module", module}, {"pixels", Json::array()}, {"probabilities", Json::array()}};
    for (const std::string index : {"0", "7", "99"}) {
      const auto predicted = run_program({"predict", runs.folder / name, "mnist", "--data-dir",
                                          runs.data_dir, "--index", index, "--json"});
      ASSERT_EQ(predicted.code, 0) << predicted.err;
      expected["pixels"].push_back(
          pixels_of(runs.mnist + "/t10k-images-idx3-ubyte", std::stoul(index)));
      expected["probabilities"].push_back(Json::parse(predicted.out).at("probabilities"));
    }
    modules.add(name, expected);
  }
  modules.check();
}

TEST(ExportedModule, ReadsSequencesAsPredictDoes) {
  if (!test::is_there("node")) GTEST_SKIP() << "no node";
  const test::TemporaryFolder folder;
  Modules modules;
  for (const std::string task : {"adding", "copy"}) {
    const auto trained = run_program(
        {"train", task, "--length", "20", "--steps", "5", "--hidden", "8", "--out", folder / task});
    ASSERT_EQ(trained.code, 0) << trained.err;
    const auto model = infer::Model<float>::load(folder / task + "/model.safetensors");
    const std::string module = modules / (task + ".mjs"), in = folder / "in.npy",
                      out = folder / "out.npy";
    ASSERT_EQ(run_program({"export", folder / task, "--format", "js", "-o", module}).code, 0);
    Json expected = expected_of(model);
    const auto x = expected.at("x").get<std::vector<float>>();
    io::write_npy(
        in, {2, static_cast<std::int64_t>(kLength), static_cast<std::int64_t>(model.inputs())}, x);
    ASSERT_EQ(run_program({"predict", folder / task, in, "--out", out}).code, 0);
    expected["whole"] = io::floats_of<float>(io::read_npy(out).view());
    expected["module"] = module;
    modules.add(task, expected);
  }
  modules.check();
}

}  // namespace
}  // namespace unroll::exporter
