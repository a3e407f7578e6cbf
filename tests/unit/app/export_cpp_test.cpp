// unroll export --format cpp as a user types it.
#include <gtest/gtest.h>

#include <filesystem>

#include "export/cpp_header.h"
#include "export/int8.h"
#include "nn/model_file.h"
#include "support/everything.h"
#include "support/patterns.h"
#include "support/program.h"
#include "support/small_set.h"
#include "support/specs.h"
#include "train/network.h"

namespace unroll::app {
namespace {

using test::run_program;

struct ExportCpp : testing::Test {
  test::TemporaryFolder folder;

  std::string write_model(spec::ModelSpec spec) const {
    Generator generator(7);
    train::Network model(spec, generator, {});
    nn::save_model(folder / "model.safetensors", spec, model.parameters());
    return folder / "model.safetensors";
  }

  test::ProgramResult run(const std::string& model, std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"export", model, "--format", "cpp", "-o", folder / "net.h"};
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
  }
};

std::vector<std::string> match(const std::string& text, const std::string& pattern) {
  auto found = test::search(text, pattern);
  EXPECT_FALSE(found.empty()) << text;
  found.resize(4);
  return found;
}

TEST_F(ExportCpp, WritesAHeaderCalledAfterItsFile) {
  const std::string model = write_model(test::rnn_spec(28, 20, 10));
  const auto result = run(model);
  ASSERT_EQ(result.code, 0) << result.err;
  const io::Safetensors file = io::Safetensors::read(model);
  const auto expected =
      exporter::cpp_header(test::rnn_spec(28, 20, 10), file.arrays(), {.name = "net"});
  EXPECT_EQ(test::content_of(folder / "net.h"), expected.text);
  // W_ih, W_hh, the sum of two biases, the readout; h and one row of sums.
  const auto line = match(result.out, "(\\d+) bytes of constants, and (\\d+) bytes of memory");
  EXPECT_EQ(line[1], std::to_string(4 * (20 * 28 + 20 * 20 + 20 + 10 * 20 + 10)));
  EXPECT_EQ(line[2], std::to_string(4 * (20 + 20)));

  ASSERT_EQ(run(model, {"--name", "other"}).code, 0);
  EXPECT_NE(test::content_of(folder / "net.h").find("namespace other {"), std::string::npos);
}

TEST_F(ExportCpp, AModelOfTokensIsComparedOnTokens) {
  const auto result = run(write_model(test::everything_spec()), {"--int8"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.out.find("int8 on random input"), std::string::npos) << result.out;
}

using Trial14ExportCommand = ExportCpp;
TEST_F(Trial14ExportCommand, ANameThatIsTakenIsRefused) {
  const std::string model = write_model(test::rnn_spec(28, 20, 10));
  for (const char* name : {"index", "size_t", "memcpy", "NULL"}) {
    const auto result = run(model, {"--name", name});
    EXPECT_EQ(result.code, 2) << name;
    EXPECT_EQ(result.err, std::string("unroll: [export] '") + name +
                              "' can't be the name of a C++ namespace: C++ or its library has that "
                              "name; choose another\n");
    EXPECT_EQ(result.out, "");
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "net.h"));
  // Called after its file, it is refused alike.
  const auto unnamed = run_program({"export", model, "--format", "cpp", "-o", folder / "index.h"});
  EXPECT_EQ(unnamed.code, 2);
  EXPECT_NE(unnamed.err.find("--name NAME"), std::string::npos) << unnamed.err;
}

TEST_F(ExportCpp, WrongUsageIsRefused) {
  const std::string model = write_model(test::rnn_spec(28, 20, 10));
  const auto refused = [&](const std::vector<std::string>& more, const std::string& part) {
    const auto result = run(model, more);
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
  };
  refused({"--name", "class"}, "'class' can't be the name of a C++ namespace");
  using Arguments = std::vector<std::string>;
  for (const Arguments& flag :
       {Arguments{"--data-dir", "x"}, {"--dataset", "mnist"}, {"--fallback-fashion"}})
    refused(flag, "need --int8");
  refused({"--int8", "--dataset", "mnits"}, "did you mean");
  refused({"--int8", "--data-dir", "x"}, "--dataset NAME");
  EXPECT_FALSE(std::filesystem::exists(folder / "net.h"));
  const auto unnamed = run_program({"export", model, "--format", "cpp", "-o", folder / "my-net.h"});
  EXPECT_EQ(unnamed.code, 2);
  EXPECT_NE(unnamed.err.find("--name NAME"), std::string::npos) << unnamed.err;
  const auto other =
      run_program({"export", model, "--format", "npz", "--int8", "-o", folder / "model.npz"});
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("needs --format cpp"), std::string::npos) << other.err;
}

TEST_F(ExportCpp, BothDirectionsAreRefusedWithTheReason) {
  const auto result = run(write_model(test::recurrent_spec(
      {.cell = spec::Cell::gru, .input_size = 4, .hidden_size = 5, .bidirectional = true}, 2)));
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("bidirectional"), std::string::npos) << result.err;
  EXPECT_FALSE(std::filesystem::exists(folder / "net.h"));
}

// A model trained on the data, so that its accuracy is more than luck.
TEST_F(ExportCpp, Int8TellsTheLossOfAccuracy) {
  test::write_small_set(folder, "data/mnist");
  const std::string data = folder / "data", run_folder = folder / "run";
  const auto trained =
      run_program({"train", "mnist", "--data-dir", data, "--epochs", "6", "--out", run_folder});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const auto eval = run_program({"eval", run_folder, "--data-dir", data});
  const auto of_floats = match(eval.out, "\\((\\d+) of 100 correct\\)");

  const auto result = run(run_folder, {"--int8", "--data-dir", data});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto line = match(result.out,
                          "int8 on mnist: accuracy .* \\((\\d+) of 100 correct instead of "
                          "(\\d+)\\), loss [\\d.]+ instead of [\\d.]+");
  EXPECT_EQ(line[2], of_floats[1]);
  EXPECT_GT(std::stoi(line[2]), 50);
  // The same model with rounded weights, tested like any other.
  const io::Safetensors file = io::Safetensors::read(run_folder + "/model.safetensors");
  const exporter::Int8Weights rounded(file.arrays());
  io::write_safetensors(folder / "rounded.safetensors", rounded.arrays(), file.metadata());
  const auto eval_rounded =
      run_program({"eval", folder / "rounded.safetensors", "--data-dir", data});
  EXPECT_EQ(line[1], match(eval_rounded.out, "\\((\\d+) of 100 correct\\)")[1]);
  // Nothing is downloaded for it: where the data is not at hand, random input takes its place.
  const auto without = run(run_folder, {"--int8"});
  EXPECT_EQ(without.code, 0);
  match(without.err, "note: .*--data-dir");
  match(without.out, "int8 on random input");
}

TEST_F(ExportCpp, Int8OfAModelWithoutDataIsComparedOnRandomInput) {
  const auto result = run(write_model(test::recurrent_spec({.cell = spec::Cell::lstm,
                                                            .input_size = 3,
                                                            .hidden_size = 16,
                                                            .readout = spec::Readout::every_step},
                                                           2)),
                          {"--int8"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const auto line =
      match(result.out, "outputs differ by up to ([-.e\\d]+), the largest is ([.\\d]+)");
  // 8 bits are 1/254 of the largest weight; some of them add up.
  EXPECT_GT(std::stod(line[1]), 0);
  EXPECT_LT(std::stod(line[1]), 0.03 * std::stod(line[2]));
}

}  // namespace
}  // namespace unroll::app
