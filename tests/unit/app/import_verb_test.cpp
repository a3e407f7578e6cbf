// unroll import, as it is typed. tests/interop has it with PyTorch itself.
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "support/program.h"
#include "unroll/infer/model.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

using test::run_program;

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

/// A file of PyTorch's, an architecture for it, and inputs.
struct Import {
  test::TemporaryFolder folder;
  std::string file = std::string(UNROLL_SOURCE_DIR) + "/tests/unit/import/files/lstm.pt";
  std::string architecture =
      folder.write("lstm.json", R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last"},
                                  {"type": "linear", "name": "fc"}]})");
  std::string model = folder / "model.safetensors";
  std::string in = folder / "in.npy", out = folder / "out.npy";

  // What PyTorch 2.13 gives with the weights of make_files.py:
  // rnn, then fc of the last state, of torch.arange(12.0).view(2, 2, 3) / 4.
  std::vector<float> outputs = {-0.0240650177f, 0.0112755802f, -0.0235425979f, 0.0116897477f};

  Import() {
    std::vector<float> inputs(12);
    for (std::size_t k = 0; k < inputs.size(); ++k) inputs[k] = static_cast<float>(k) / 4;
    io::write_npy(in, {2, 2, 3}, inputs);
    io::write_npy(out, {2, 2}, outputs);
  }

  test::ProgramResult run(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"import", file, "-o", model};
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
  }
};

TEST(ImportVerb, WritesAModelThatIsTheOriginal) {
  const Import import;
  const auto result = import.run({"--arch", import.architecture, "--check", import.in, import.out});
  EXPECT_EQ(result.code, 0) << result.err;
  expect_parts(result.out, {"all 6 tensors used, 154 numbers", "check: 4 outputs", "within 1e-05",
                            "wrote " + import.model});
  const auto model = infer::Model<float>::load(import.model);
  EXPECT_EQ(model.inputs(), 3u);

  const std::string got = import.folder / "got.npy";
  EXPECT_EQ(run_program({"predict", import.model, import.in, "--out", got}).code, 0);
  const io::NpyArray array = io::read_npy(got);
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, 2}));
  const auto values = io::floats_of<float>(array.view());
  for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(values[k], import.outputs[k], 1e-6);
}

TEST(ImportVerb, AModelOfNumbersIsToldOneOfPixelsFromThem) {
  const Import import;
  ASSERT_EQ(import.run({"--arch", import.architecture}).code, 0);
  const std::string onnx = import.folder / "model.onnx", images = import.folder.write("i", "");
  expect_parts(run_program({"export", import.model, "--format", "onnx", "-o", onnx}).out,
               {"input input (batch, time, 3): numbers as they are"});
  expect_parts(run_program({"inspect", import.model}).out,
               {"input: sequences of steps of 3 numbers as they are"});
  for (const auto& verb : {std::vector<std::string>{"predict", import.model, images},
                           std::vector<std::string>{"eval", import.model}}) {
    const auto result = run_program(verb);
    EXPECT_EQ(result.code, 2);
    expect_parts(result.err, {"takes numbers as they are", "\"input\" in its architecture"});
  }
  const std::string pixels = import.folder.write(
      "pixels.json", R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last"},
                         {"type": "linear", "name": "fc"}], "input": {}})");
  ASSERT_EQ(import.run({"--arch", pixels}).code, 0);
  expect_parts(run_program({"export", import.model, "--format", "onnx", "-o", onnx}).out,
               {"pixels, 0 to 255"});
}

TEST(ImportVerb, OtherOutputsAreAFailureAndNoModel) {
  Import import;
  import.outputs[2] += 2e-5f;
  io::write_npy(import.out, {2, 2}, import.outputs);
  const std::vector<std::string> flags = {"--arch", import.architecture, "--check", import.in,
                                          import.out};
  const auto result = import.run(flags);
  EXPECT_EQ(result.code, 1);
  expect_parts(result.out, {"the largest difference is 2", "at [1, 0]", "MORE THAN 1e-05"});
  EXPECT_EQ(result.out.find("tensors used"), std::string::npos) << result.out;
  expect_parts(result.err, {"other outputs than the original", "was not written"});
  EXPECT_EQ(result.err.find("--tolerance"), std::string::npos) << result.err;
  EXPECT_FALSE(std::filesystem::exists(import.model));
  std::vector<std::string> wider = flags;
  wider.insert(wider.end(), {"--tolerance", "1e-4"});
  EXPECT_EQ(import.run(wider).code, 0);
  // Not a number is as far off as can be, and arrays that don't fit are no comparison.
  import.outputs[2] = std::numeric_limits<float>::quiet_NaN();
  io::write_npy(import.out, {2, 2}, import.outputs);
  EXPECT_EQ(import.run(wider).code, 1);
  io::write_npy(import.out, {4, 1}, import.outputs);
  expect_parts(import.run(flags).err, {"has shape [4, 1], the model's outputs have [2, 2]"});
  io::write_npy(import.in, {3, 4}, std::vector<float>(12));
  expect_parts(import.run(flags).err,
               {"the array has shape [3, 4]", "(N, T, 3)", "transpose(0, 1)"});
}

TEST(ImportVerb, RoundedWeightsAreNamedWhereOutputsDiffer) {
  const Import import;
  const std::vector<std::byte> zeros(4 * 4 * 3 * 2);
  std::vector<io::ArrayView> arrays;
  for (const auto& [name, shape] : std::vector<std::pair<std::string, std::vector<std::int64_t>>>{
           {"rnn.weight_ih_l0", {4, 3}}, {"rnn.weight_hh_l0", {4, 1}}, {"fc.weight", {2, 1}}}) {
    const auto count = static_cast<std::size_t>(shape[0] * shape[1]);
    arrays.push_back({name, io::ElementType::bf16, shape, std::span(zeros).subspan(0, 2 * count)});
  }
  const std::string weights = import.folder / "bf16.safetensors";
  io::write_safetensors(weights, arrays);
  const auto result = run_program({"import", weights, "-o", import.model, "--arch",
                                   import.architecture, "--check", import.in, import.out});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"is in BF16", "--tolerance"});
}

TEST(ImportVerb, AsksWithTheLinesToAdd) {
  const Import import;
  const auto result = import.run({});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  expect_parts(result.err,
               {"the readout of rnn", "--arch FILE.json", R"({"type": "linear", "name": "fc"})"});
  EXPECT_FALSE(std::filesystem::exists(import.model));
}

TEST(ImportVerb, OtherVerbsNameItForAFileOfPyTorchs) {
  const Import import;
  for (const auto& verb :
       {std::vector<std::string>{"predict", import.file, import.in, "--out", import.out},
        std::vector<std::string>{"inspect", import.file},
        std::vector<std::string>{"export", import.file, "--format", "npz", "-o", import.model}}) {
    const auto result = run_program(verb);
    EXPECT_EQ(result.code, 1);
    expect_parts(result.err, {"PyTorch", "unroll import " + import.file + " -o model.safetensors"});
  }
}

TEST(ImportVerb, BadUsage) {
  const Import import;
  EXPECT_EQ(run_program({"import", import.file}).code, 2);
  EXPECT_EQ(import.run({"--check", import.in}).code, 2);
  for (const char* tolerance : {"nan", "-1", "inf", "much"})
    EXPECT_EQ(import
                  .run({"--arch", import.architecture, "--check", import.in, import.out,
                        "--tolerance", tolerance})
                  .code,
              2)
        << tolerance;
  expect_parts(import.run({"--arch", import.architecture, "--tolerance", "1"}).err,
               {"--tolerance is for --check"});
  EXPECT_FALSE(std::filesystem::exists(import.model));
  EXPECT_EQ(import.run({"--arch", import.folder / "none.json"}).code, 1);
  EXPECT_EQ(run_program({"predict", import.model, import.in}).code, 2);
}

}  // namespace
}  // namespace unroll::app
