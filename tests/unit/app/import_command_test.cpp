// unroll import, as it is typed. tests/interop has it with PyTorch itself.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <filesystem>
#include <limits>

#include "support/expect_parts.h"
#include "support/program.h"
#include "unroll/infer/model.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

using test::run_program;

using test::expect_parts;

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

TEST(ImportCommand, WritesAModelThatIsTheOriginal) {
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

TEST(ImportCommand, AModelOfNumbersIsToldOneOfPixelsFromThem) {
  const Import import;
  ASSERT_EQ(import.run({"--arch", import.architecture}).code, 0);
  const std::string onnx = import.folder / "model.onnx", images = import.folder.write("i", "");
  expect_parts(run_program({"export", import.model, "--format", "onnx", "-o", onnx}).out,
               {"input input (batch, time, 3): numbers as they are"});
  expect_parts(run_program({"inspect", import.model}).out,
               {"input: sequences of steps of 3 numbers as they are"});
  for (const auto& command : {std::vector<std::string>{"predict", import.model, images},
                              std::vector<std::string>{"eval", import.model}}) {
    const auto result = run_program(command);
    EXPECT_EQ(result.code, 2);
    expect_parts(result.err, {"reads numbers", "\"input\" in its architecture"});
  }
  const std::string pixels = import.folder.write(
      "pixels.json", R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last"},
                         {"type": "linear", "name": "fc"}], "input": {}})");
  ASSERT_EQ(import.run({"--arch", pixels}).code, 0);
  expect_parts(run_program({"export", import.model, "--format", "onnx", "-o", onnx}).out,
               {"pixels, 0 to 255"});
}

TEST(ImportCommand, OtherOutputsAreAFailureAndNoModel) {
  Import import;
  import.outputs[2] += 2e-5f;
  io::write_npy(import.out, {2, 2}, import.outputs);
  const std::vector<std::string> flags = {"--arch", import.architecture, "--check", import.in,
                                          import.out};
  const auto result = import.run(flags);
  EXPECT_EQ(result.code, 1);
  expect_parts(result.out,
               {"the worst is 2e-05 off, at [1, 0]", "MORE THAN 1e-05 + 1e-05 * |expected|"});
  EXPECT_EQ(result.out.find("tensors used"), std::string::npos) << result.out;
  expect_parts(result.err, {"the original give different outputs", "was not written"});
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

TEST(ImportCommand, RoundedWeightsAreNamedWhereOutputsDiffer) {
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

TEST(ImportCommand, AsksWithTheLinesToAdd) {
  const Import import;
  const auto result = import.run({});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  expect_parts(result.err,
               {"the readout of rnn", "--arch FILE.json", R"({"type": "linear", "name": "fc"})"});
  EXPECT_FALSE(std::filesystem::exists(import.model));
}

TEST(ImportCommand, OtherCommandsNameItForAFileOfPyTorchs) {
  const Import import;
  for (const auto& command :
       {std::vector<std::string>{"predict", import.file, import.in, "--out", import.out},
        std::vector<std::string>{"inspect", import.file},
        std::vector<std::string>{"export", import.file, "--format", "npz", "-o", import.model}}) {
    const auto result = run_program(command);
    EXPECT_EQ(result.code, 1);
    expect_parts(result.err, {"PyTorch", "unroll import " + import.file + " -o model.safetensors"});
  }
}

TEST(ImportCommand, BadUsage) {
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
               {"--tolerance needs --check"});
  EXPECT_FALSE(std::filesystem::exists(import.model));
  EXPECT_EQ(import.run({"--arch", import.folder / "none.json"}).code, 1);
  EXPECT_EQ(run_program({"predict", import.model, import.in}).code, 2);
}

/// A network written down as a safetensors file, with an architecture and numbers to check it with.
struct Network {
  test::TemporaryFolder folder;
  std::string file = folder / "w.safetensors", model = folder / "model.safetensors",
              in = folder / "in.npy", out = folder / "out.npy";
  std::vector<io::ArrayView> arrays;
  std::deque<std::vector<float>> memory;

  void add(const std::string& name, const std::vector<std::int64_t>& shape,
           const std::vector<float>& values) {
    const auto& kept = memory.emplace_back(values);
    arrays.push_back({name, io::ElementType::f32, shape, std::as_bytes(std::span(kept))});
  }
  test::ProgramResult check(const std::string& layers, const std::vector<std::int64_t>& in_shape,
                            const std::vector<float>& inputs,
                            const std::vector<std::int64_t>& out_shape,
                            const std::vector<float>& outputs,
                            const std::vector<std::string>& more = {}) const {
    io::write_safetensors(file, arrays);
    io::write_npy(in, in_shape, inputs);
    io::write_npy(out, out_shape, outputs);
    std::vector<std::string> all = {
        "import", file,  "--arch",  folder.write("arch.json", "{\"layers\": [" + layers + "]}"),
        "-o",     model, "--check", in,
        out};
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
  }
};

/// h_t = relu(x_t) in each direction: all readouts of it are known.
struct TwoDirections : Network {
  TwoDirections() {
    for (const char* end : {"", "_reverse"}) {
      add(std::string("rnn.weight_ih_l0") + end, {1, 1}, {1});
      add(std::string("rnn.weight_hh_l0") + end, {1, 1}, {0});
    }
  }
};

constexpr const char* kLast =
    R"({"type": "rnn", "name": "rnn", "nonlinearity": "relu", "readout": "last"})";

// x is 1, 8, 6: h_n is (6, 1), output[:, -1] is (6, 6), output[:, 0] is (1, 1), the mean (5, 5).
TEST(Trial03, CheckNamesTheReadoutThatTheOutputsAreOf) {
  const TwoDirections network;
  const auto check = [&](const std::vector<float>& outputs) {
    return network.check(kLast, {1, 3, 1}, {1, 8, 6}, {1, 2}, outputs);
  };
  EXPECT_EQ(check({6, 1}).code, 0);
  std::filesystem::remove(network.model);
  struct Case {
    std::vector<float> outputs;
    const char* cause;
  };
  for (const Case& c :
       {Case{{6, 6}, "agree with output[:, -1] of rnn, where the backward direction"},
        Case{{1, 1}, "agree with output[:, 0] of rnn"},
        Case{{5, 5}, "agree with \"readout\": \"mean\" of rnn"}}) {
    const auto result = check(c.outputs);
    EXPECT_EQ(result.code, 1);
    expect_parts(result.err, {c.cause, "was not written"});
    EXPECT_EQ(result.err.find("; or"), std::string::npos) << result.err;
    EXPECT_FALSE(std::filesystem::exists(network.model));
  }
  // Where nothing fits, all that it may be is said.
  expect_parts(check({3, 4}).err, {"check the architecture's readout, activations"});
}

TEST(Trial03, CheckNamesTheFunctionThatTheOutputsAreOf) {
  Network network;
  network.add("fc.weight", {2, 1}, {0, 1});  // (0, x)
  const std::string fc = R"({"type": "linear", "name": "fc"})",
                    relu = R"({"type": "activation", "function": "relu"})";
  const auto causes = [&](const std::string& layers, const std::vector<float>& outputs) {
    return network.check(layers, {1, 1}, {-0.5f}, {1, 2}, outputs).err;
  };
  const float tanh = std::tanh(-0.5f);
  expect_parts(causes(fc, {0, tanh}), {"agree with a tanh at the end"});
  expect_parts(causes(fc + "," + relu, {0, tanh}),
               {"agree with \"function\": \"tanh\" of layer 2"});
  expect_parts(causes(fc + "," + relu, {0, -0.5f}), {"agree without layer 2"});
  const float first = 1 / (1 + std::exp(-0.5f));
  expect_parts(causes(fc, {first, 1 - first}), {"agree if the original ends in softmax"});
  const std::string softmax = R"(, {"type": "activation", "function": "softmax"})";
  EXPECT_EQ(causes(fc + softmax, {first, 1 - first}), "");
  expect_parts(causes(fc + softmax, {0, -0.5f}), {"agree without the softmax at its end"});
}

TEST(Trial03, WithoutCheckTwoDirectionsAreNoted) {
  const TwoDirections network;
  io::write_safetensors(network.file, network.arrays);
  const auto result =
      run_program({"import", network.file, "-o", network.model, "--arch",
                   network.folder.write("a.json", fmt::format("{{\"layers\": [{}]}}", kLast))});
  EXPECT_EQ(result.code, 0) << result.err;
  expect_parts(result.err, {"\"last\" is h_n of both", "not output[:, -1]", "--check"});
}

// |a - b| <= atol + rtol |expected|, as numpy.allclose.
TEST(Trial05, ATolerancesRelativePartGrowsWithTheOutput) {
  Network network;
  network.add("fc.weight", {1, 1}, {65000});
  const std::string fc = R"({"type": "linear", "name": "fc"})";
  const auto code = [&](float expected, const std::vector<std::string>& more = {}) {
    return network.check(fc, {1, 1}, {1}, {1, 1}, {expected}, more).code;
  };
  EXPECT_EQ(code(65000.0039f), 0);  // a unit in the last place
  EXPECT_EQ(code(65000.6f), 0);     // 0.65 is allowed by default
  EXPECT_EQ(code(65000.7f), 1);
  EXPECT_EQ(code(65000.0039f, {"--relative-tolerance", "0"}), 1);
  EXPECT_EQ(code(65000.0039f, {"--relative-tolerance", "0", "--tolerance", "0.01"}), 0);
  EXPECT_EQ(code(65600, {"--relative-tolerance", "0.01"}), 0);
  EXPECT_EQ(code(65000, {"--relative-tolerance", "0", "--tolerance", "0"}), 0);
  // Relative to what is expected: a small one is held to the absolute part.
  EXPECT_EQ(network.check(fc, {2, 1}, {1, 1e-9f}, {2, 1}, {65000, 8.5e-5f}).code, 1);
  const auto result = network.check(fc, {1, 1}, {1}, {1, 1}, {65001});
  expect_parts(result.out, {"MORE THAN 1e-05 + 1e-05 * |expected|"});
  for (const char* flag : {"--tolerance", "--relative-tolerance"})
    for (const char* value : {"-1", "nan", "inf", "x"})
      EXPECT_EQ(code(65000, {flag, value}), 2) << flag << " " << value;
  const auto alone = run_program({"import", network.file, "-o", network.model, "--arch",
                                  network.folder / "arch.json", "--relative-tolerance", "1"});
  EXPECT_EQ(alone.code, 2);
  expect_parts(alone.err, {"--relative-tolerance needs --check"});
}

// Where 65000 and -65000 leave 0.5, their rounding is in it: that is said, not the readout.
TEST(Trial05, RoundingBesideLargeOutputsIsCalledThat) {
  Network network;
  network.add("fc.weight", {2, 1}, {65000, 0.5f});
  const std::string fc = R"({"type": "linear", "name": "fc"})";
  const auto result = network.check(fc, {1, 1}, {1}, {1, 2}, {65000, 0.5078125f});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"the difference is rounding", "6.5e+04", "--tolerance 0.02"});
  EXPECT_EQ(
      network.check(fc, {1, 1}, {1}, {1, 2}, {65000, 0.5078125f}, {"--tolerance", "0.02"}).code, 0);
  EXPECT_EQ(network.check(fc, {1, 1}, {1}, {1, 2}, {65000, 0.6f}).err.find("rounding"),
            std::string::npos);
}

TEST(Trial05, InfinitiesAreRightOnlyWhereTheyAreExpected) {
  Network network;
  network.add("fc.weight", {1, 1}, {3e38f});
  const float infinite = std::numeric_limits<float>::infinity();
  const auto code = [&](float expected) {
    return network.check(R"({"type": "linear", "name": "fc"})", {1, 1}, {2}, {1, 1}, {expected})
        .code;
  };
  EXPECT_EQ(code(infinite), 0);
  for (const float wrong : {-infinite, 3e38f, std::numeric_limits<float>::quiet_NaN()})
    EXPECT_EQ(code(wrong), 1) << wrong;
}

// Six steps of one number, saved as (N, T): the same as (N, T, 1).
TEST(Trial11, SeriesOfOneNumberAStepNeedNoDimensionForIt) {
  const TwoDirections network;
  EXPECT_EQ(network.check(kLast, {2, 3}, {1, 2, 5, 4, 3, 9}, {2, 2}, {5, 1, 9, 4}).code, 0);
  EXPECT_EQ(network.check(kLast, {2, 3, 1}, {1, 2, 5, 4, 3, 9}, {2, 2}, {5, 1, 9, 4}).code, 0);
  EXPECT_EQ(network.check(kLast, {3, 1}, {1, 2, 5}, {1, 2}, {5, 1}).code, 0);  // one series (T, 1)
}

TEST(Trial11, ASoftmaxAtTheEndIsSaidToBeLeftOut) {
  Network network;
  network.add("fc.weight", {2, 1}, {0, 1});
  const auto result = network.check(
      R"({"type": "linear", "name": "fc"}, {"type": "activation", "function": "log_softmax"})",
      {1, 1}, {std::log(3.0f)}, {1, 2}, {std::log(0.25f), std::log(0.75f)});
  EXPECT_EQ(result.code, 0) << result.err;
  expect_parts(result.out, {"the log_softmax at its end is left out", "logits"});
}

}  // namespace
}  // namespace unroll::app
