// What predict and --check read besides images: arrays of every type, text, and what is empty; and
// where results may go.
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "unit/app/models.h"
#include "unroll/infer/model.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

using test::run_program;

struct Trial13Predict : testing::Test, Models {
  std::string model = write_model("model.safetensors");

  std::string npy(const std::string& name, const std::vector<std::int64_t>& shape,
                  const std::vector<float>& values) const {
    io::write_npy(folder / name, shape, values);
    return folder / name;
  }

  /// The outputs that predict writes for a file.
  io::NpyArray outputs_of(const std::string& file) const {
    const auto result = run_program({"predict", model, file, "--out", folder / "out.npy"});
    EXPECT_EQ(result.code, 0) << result.err;
    return io::read_npy(folder / "out.npy");
  }

  /// An image's rows, 28 of 28 numbers.
  std::vector<float> numbers() const {
    std::vector<float> values;
    for (int i = 0; i < 28 * 28; ++i) values.push_back(static_cast<float>(i * 7 % 17 - 8) / 4);
    return values;
  }

  /// The same as text.
  std::string text(const std::string& separator, const std::string& end) const {
    std::string all;
    const std::vector<float> values = numbers();
    for (std::size_t i = 0; i < values.size(); ++i)
      all += std::to_string(values[i]) + (i % 28 == 27 ? end : separator);
    return all;
  }
};

TEST_F(Trial13Predict, WhatIsEmptyIsCalledThat) {
  const auto says = [&](const std::vector<std::int64_t>& shape, const std::string& text) {
    const std::string file = npy("empty.npy", shape, {});
    const auto result = run_program({"predict", model, file, "--out", folder / "out.npy"});
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(result.err, "unroll: [predict] the array has shape " + text + "\n");
    EXPECT_FALSE(std::filesystem::exists(folder / "out.npy"));
  };
  says({0, 28, 28}, "[0, 28, 28], which is 0 sequences; expected at least 1");
  says({4, 0, 28}, "[4, 0, 28], which is 0 steps; expected at least 1");
  says({0, 28}, "[0, 28], which is 0 steps; expected at least 1");
}

TEST_F(Trial13Predict, ATextFileIsTheStepsOfASequence) {
  const io::NpyArray expected = outputs_of(npy("in.npy", {28, 28}, numbers()));
  ASSERT_EQ(expected.shape, (std::vector<std::int64_t>{10}));
  for (const auto& [name, separator, end] : {std::tuple{"a.csv", ",", "\n"},
                                             {"a.CSV", ", ", "\r\n"},
                                             {"a.tsv", "\t", "\n\n"},
                                             {"a.txt", " ", "\n"}}) {
    const io::NpyArray got = outputs_of(folder.write(name, text(separator, end)));
    EXPECT_EQ(got.shape, expected.shape) << name;
    EXPECT_EQ(got.data, expected.data) << name;
  }
}

// Without --out it is what the same rows on stdin are.
TEST_F(Trial13Predict, ATextFileOfPixels) {
  const std::string rows = rows_of(42), file = folder.write("pixels.csv", rows);
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{}, {"--rows"}, {"--json"}, {"--rows", "--json"}}) {
    std::vector<std::string> typed = {"predict", model}, named = {"predict", model, file};
    typed.insert(typed.end(), flags.begin(), flags.end());
    named.insert(named.end(), flags.begin(), flags.end());
    const auto expected = run_program(typed, {.input = rows});
    ASSERT_EQ(expected.code, 0) << expected.err;
    EXPECT_EQ(run_program(named).out, expected.out);
  }
}

TEST_F(Trial13Predict, TextThatDoesNotFitIsRefused) {
  const auto refused = [&](const std::string& content, const std::string& part) {
    const std::string file = folder.write("a.csv", content);
    const auto result = run_program({"predict", model, file, "--out", folder / "out.npy"});
    EXPECT_EQ(result.code, 1);
    EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
    EXPECT_FALSE(std::filesystem::exists(folder / "out.npy"));
  };
  refused("", "[0, 28], which is 0 steps");
  refused("1,2,3\n", "row 1 in " + folder.path() + "/a.csv has 3 numbers, the model reads 28");
  refused("time,x,y\n1,2,3\n", "without a header");
  refused(text(";", "\n"), "separated by commas or blanks");
  expect_failure(run_program({"predict", model, folder.write("e.csv", "")}), 1,
                 {"nothing in", "e.csv", "28 numbers"});
  expect_failure(run_program({"predict", model, folder / "none.csv"}), 1, {"none.csv"});
  expect_failure(run_program({"predict", model, folder / "e.csv", "--index", "1"}), 2, {"--index"});
  expect_failure(
      run_program({"predict", model, folder / "e.csv", "--out", folder / "o.npy", "--json"}), 2,
      {"--out"});
  expect_failure(run_program({"predict", model, images, "--out", folder / "o.npy"}), 2,
                 {"--out is for inputs in a .npy or a .csv"});
}

TEST_F(Trial13Predict, HalvesAndIntegersGiveWhatFloatsGive) {
  // Whole numbers from -3 to 4, of which each type has the same.
  std::vector<float> values;
  std::string bytes, halves;
  for (int i = 0; i < 28 * 28; ++i) {
    const int value = i * 5 % 8 - 3;
    constexpr unsigned half_of[] = {0, 0x3c00, 0x4000, 0x4200, 0x4400};
    const unsigned half = half_of[std::abs(value)] | (value < 0 ? 0x8000u : 0u);
    values.push_back(static_cast<float>(value));
    bytes += static_cast<char>(value);
    halves += {static_cast<char>(half & 0xff), static_cast<char>(half >> 8)};
  }
  const io::NpyArray expected = outputs_of(npy("in.npy", {1, 28, 28}, values));
  const auto file = [&](const char* type, const std::string& elements) {
    using namespace std::string_literals;
    std::string header = "{'descr': '"s + type + "', 'fortran_order': False, 'shape': (1, 28, 28)}";
    header.append(117 - header.size(), ' ').push_back('\n');
    return folder.write("other.npy", "\x93NUMPY\x01\x00\x76\x00"s + header + elements);
  };
  EXPECT_EQ(outputs_of(file("<f2", halves)).data, expected.data);
  EXPECT_EQ(outputs_of(file("|i1", bytes)).data, expected.data);
}

struct PredictTokens : testing::Test {
  test::TemporaryFolder folder;
  spec::ModelSpec spec = spec::from_json(
      test::content_of(UNROLL_SOURCE_DIR "/tests/unit/spec/descriptions/format_4_tokens.json"));
  std::string model = folder / "model.safetensors";

  PredictTokens() {
    Generator generator(7);
    train::Network network(spec, generator, {});
    nn::save_model(model, spec, network.parameters());
  }

  test::ProgramResult predict(const std::string& file) const {
    return run_program({"predict", model, file, "--out", folder / "out.npy"});
  }
  std::string npy(const std::vector<std::int64_t>& shape, const std::vector<float>& tokens) const {
    io::write_npy(folder / "in.npy", shape, tokens);
    return folder / "in.npy";
  }
  /// What the model gives for so many sequences.
  std::vector<float> expected(const std::vector<float>& tokens, std::size_t batch) const {
    std::vector<float> out(tokens.size() * 5);
    infer::Model<float>::load(model).run(tokens, batch, tokens.size() / batch, std::span(out));
    return out;
  }
  void expect_outputs(const std::vector<std::int64_t>& shape,
                      const std::vector<float>& values) const {
    const io::NpyArray out = io::read_npy(folder / "out.npy");
    EXPECT_EQ(out.shape, shape);
    EXPECT_EQ(io::floats_of<float>(out.view()), values);
  }
};

TEST_F(PredictTokens, AreWholeNumbersOfAnArrayOrAText) {
  const std::vector<float> tokens = {0, 4, 2, 1, 1, 3};
  ASSERT_EQ(predict(npy({2, 3}, tokens)).code, 0);
  expect_outputs({2, 3, 5}, expected(tokens, 2));
  ASSERT_EQ(predict(npy({6, 1}, tokens)).code, 0);  // six sequences
  expect_outputs({6, 1, 5}, expected(tokens, 6));
  for (const std::string& one : {npy({6}, tokens), folder.write("a.txt", "0 4 2\n1\n\n1 3\n"),
                                 folder.write("b.csv", "0,4,2,1,1,3")}) {
    ASSERT_EQ(predict(one).code, 0);
    expect_outputs({6, 5}, expected(tokens, 1));
  }
}

TEST_F(PredictTokens, OtherNumbersAndShapesAreRefused) {
  const auto says = [&](const std::string& file, const std::string& part) {
    const auto result = predict(file);
    EXPECT_EQ(result.code, 1);
    EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
    EXPECT_FALSE(std::filesystem::exists(folder / "out.npy"));
  };
  says(npy({1, 3}, {0, 5, 1}),
       "[predict] the array has 5 at [0, 1], expected a token, a whole number from 0 to 4");
  says(npy({2}, {1.5, 1}), "has 1.5 at [0], expected a token");
  says(npy({2}, {1, -1}), "has -1 at [1], expected a token");
  says(npy({1}, {std::numeric_limits<float>::quiet_NaN()}), "has nan at [0], expected a token");
  says(npy({1, 1, 1}, {1}), "shape [1, 1, 1], the model reads tokens (N, T) or (T)");
  says(npy({2, 0}, {}), "shape [2, 0], the model reads tokens (N, T) or (T), at least one");
  says(folder.write("empty.txt", "\n"), "shape [0], the model reads tokens");
  expect_failure(run_program({"predict", model}, {.input = "1 2"}), 2,
                 {"reads tokens, not pixels", "x.npy --out y.npy"});
  expect_failure(run_program({"eval", model}), 2,
                 {"trained on data called letters", "name its file"});
  expect_failure(run_program({"eval", model, "mnist"}), 2, {"reads tokens, not pixels"});
  const auto inspected = run_program({"inspect", model});
  EXPECT_NE(inspected.out.find("input: sequences of steps of one token, 0 to 4\n"),
            std::string::npos)
      << inspected.out << inspected.err;
}

// "-" is stdout to other programs. Here no file of that name appears.
TEST_F(Trial13Predict, AnOutputCalledDashIsRefusedByEveryCommand) {
  const std::string in = npy("in.npy", {28, 28}, numbers());
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"predict", model, in, "--out", "-"},
                                             {"export", model, "--format", "onnx", "-o", "-"},
                                             {"export", model, "--format", "npz", "-o", "-"},
                                             {"export", model, "--format", "cpp", "-o", "-"},
                                             {"import", model, "-o", "-"},
                                             {"eval", model, "--data-dir", data, "--logits", "-"},
                                             {"train", "adding", "--steps", "1", "--out", "-"}}) {
    test::Program program(arguments);
    const auto result = program.finish();
    EXPECT_EQ(result.code, 2) << arguments[0];
    EXPECT_NE(result.err.find("not stdout"), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "") << arguments[0];
    EXPECT_FALSE(std::filesystem::exists(program.folder() / "-")) << arguments[0];
  }
}

}  // namespace
}  // namespace unroll::app
