// unroll export as a user types it.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/program.h"
#include "support/specs.h"
#include "unit/export/onnx_file.h"
#include "unit/export/weights.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

using test::run_program;

struct ExportCommand : testing::Test {
  test::TemporaryFolder folder;
  std::string model = write(test::rnn_spec(2, 3, 4));

  std::string write(const spec::ModelSpec& spec) const {
    const std::string path = folder / "model.safetensors";
    io::write_safetensors(path, test::CountedWeights(spec).views(),
                          {{spec::ModelSpec::metadata_key, spec::to_json(spec)}});
    return path;
  }

  void expect_refused(std::vector<std::string> arguments, int code,
                      const std::vector<std::string>& parts) const {
    arguments.insert(arguments.begin(), {"export", model});
    const auto result = run_program(arguments);
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_EQ(result.out, "");
    for (const std::string& part : parts)
      EXPECT_NE(result.err.find(part), std::string::npos) << part << " in\n" << result.err;
  }
};

TEST_F(ExportCommand, SaysWhatWasWrittenAndWhatGoesInAndOut) {
  const std::string path = folder / "model.onnx";
  const auto result = run_program({"export", model, "--format", "onnx", "-o", path});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, path + ": " + std::to_string(std::filesystem::file_size(path)) +
                            " bytes\n"
                            "input input (batch, time, 2): pixels, 0 to 255\n"
                            "input rnn.h_0 (1, rnn.h_0_batch, 3): may be left out: zeros\n"
                            "output rnn.h_n (1, batch, 3): after the last step\n"
                            "output output (batch, 4): logits\n");
  const test::OnnxFile file(test::content_of(path));
  EXPECT_EQ(file.inputs.size(), 2u);
  EXPECT_EQ(file.outputs.size(), 2u);
}

TEST_F(ExportCommand, TheSameModelGivesTheSameBytesAnywhere) {
  for (const std::string format : {"onnx", "npz", "js"}) {
    std::vector<std::string> contents;
    for (const std::string zone : {"Pacific/Auckland", "America/Los_Angeles"}) {
      const std::string path = folder / zone.substr(0, 4);
      const auto result = run_program({"export", model, "--format", format, "-o", path},
                                      {.environment = {{"TZ", zone}}});
      EXPECT_EQ(result.code, 0) << result.err;
      contents.push_back(test::content_of(path));
    }
    EXPECT_EQ(contents[0], contents[1]) << format;
  }
}

TEST_F(ExportCommand, AJavaScriptModuleIsWritten) {
  const std::string path = folder / "model.js";
  const auto result = run_program({"export", model, "--format", "js", "-o", path});
  EXPECT_EQ(result.code, 0) << result.err;
  const std::string text = test::content_of(path);
  EXPECT_EQ(result.out, path + ": " + std::to_string(text.size()) + " bytes\n");
  for (const char* part : {"class Network", "const DATA = {", "export const step"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST_F(ExportCommand, WrongUsageIsRefused) {
  const std::string path = folder / "out";
  expect_refused({"--format", "onxx", "-o", path}, 2, {"onxx", "npz", "did you mean onnx?"});
  expect_refused({"--format", "npz", "--streaming", "-o", path}, 2,
                 {"--streaming", "needs --format onnx"});
  expect_refused({"--format", "js", "--no-scaling", "-o", path}, 2,
                 {"--no-scaling needs --format onnx, not js"});
  expect_refused({"--format", "js", "--int8", "-o", path}, 2,
                 {"--int8 needs --format cpp, not js"});
  expect_refused({"--format", "npz"}, 2, {"--out"});
  expect_refused({"-o", path}, 2, {"--format"});
  expect_refused({"--format", "onnx", "--streaming", "--lengths", "-o", path}, 2, {"--lengths"});
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ExportCommand, AFileThatCanNotBeWrittenLeavesNothingBehind) {
  const std::string place = folder / "place";
  std::filesystem::create_directory(place);
  for (const std::string format : {"onnx", "npz", "js"}) {
    expect_refused({"--format", format, "-o", folder / "nowhere/model"}, 1, {"nowhere/model"});
    expect_refused({"--format", format, "-o", place}, 1, {"place"});
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    EXPECT_TRUE(entry.path() == model || entry.path() == place) << entry.path();
}

TEST_F(ExportCommand, ABareStateDictNeedsItsActivation) {
  io::write_safetensors(folder / "bare.safetensors",
                        test::CountedWeights(test::rnn_spec(2, 3, 4)).views());
  const auto refused = run_program(
      {"export", folder / "bare.safetensors", "--format", "onnx", "-o", folder / "model.onnx"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--activation relu"), std::string::npos) << refused.err;
  const auto given = run_program({"export", folder / "bare.safetensors", "--activation", "tanh",
                                  "--format", "onnx", "-o", folder / "model.onnx"});
  EXPECT_EQ(given.code, 0) << given.err;
}

TEST_F(ExportCommand, ANoteSaysWhichReadoutIsAssumedOfABareStateDict) {
  const std::string bare = folder / "bare.safetensors";
  spec::ModelSpec spec = test::recurrent_spec(
      {.name = "gru", .cell = spec::Cell::gru, .input_size = 2, .hidden_size = 3}, 4);
  for (const char* readout : {"\"last\"", "\"mean_last\""}) {
    io::write_safetensors(bare, test::CountedWeights(spec).views());
    for (const char* format : {"onnx", "npz"}) {
      const auto result =
          run_program({"export", bare, "--format", format, "-o", folder / "exported"});
      EXPECT_EQ(result.code, 0) << result.err;
      for (const std::string& part : {bare, std::string("note:"), std::string("the readout of gru"),
                                      std::string(readout), std::string("unroll import")})
        EXPECT_NE(result.err.find(part), std::string::npos) << part << " in\n" << result.err;
    }
    std::get<spec::LinearSpec>(spec.layers[1]).in_features = 6;
    std::get<spec::RecurrentSpec>(spec.layers[0]).readout = spec::Readout::mean_last;
  }
}

// fc.weight is [[2, 1], [0, -1]], so of [3, 5] the outputs are 2 * 3 + 5 and -5.
TEST(Trial02, EveryCommandReadsABareStateDictsNumbersAsTheyAre) {
  const test::TemporaryFolder folder;
  const std::string bare = folder / "bare.safetensors", out = folder / "out";
  const std::vector<float> weight = {2, 1, 0, -1};
  const std::vector<io::ArrayView> arrays = {
      {"fc.weight", io::ElementType::f32, {2, 2}, std::as_bytes(std::span(weight))}};
  io::write_safetensors(bare, arrays);
  io::write_npy(folder / "in.npy", {1, 2}, std::vector<float>{3, 5});
  ASSERT_EQ(run_program({"predict", bare, folder / "in.npy", "--out", folder / "out.npy"}).code, 0);
  EXPECT_EQ(io::floats_of<float>(io::read_npy(folder / "out.npy").view()),
            (std::vector<float>{11, -5}));
  const auto exported = [&](const std::string& format, std::vector<std::string> more) {
    more.insert(more.begin(), {"export", bare, "--format", format, "-o", out});
    const auto result = run_program(more);
    EXPECT_EQ(result.code, 0) << result.err;
    return result.out + test::content_of(out);
  };
  const std::string graph = exported("onnx", {});
  EXPECT_NE(graph.find("input input (batch, 2): numbers as they are"), std::string::npos) << graph;
  EXPECT_EQ(graph.find("pixel_range"), std::string::npos);  // that is the constant 255
  EXPECT_NE(exported("npz", {}).find(R"("pixels":false)"), std::string::npos);
  // What is said is done.
  const std::string pixels = exported("onnx", {"--normalize", "none"});
  EXPECT_NE(pixels.find("pixels, 0 to 255"), std::string::npos) << pixels;
  EXPECT_NE(pixels.find("pixel_range"), std::string::npos);
}

}  // namespace
}  // namespace unroll::app
