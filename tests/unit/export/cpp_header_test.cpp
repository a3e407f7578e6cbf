#include "export/cpp_header.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <limits>

#include "export/cpp_text.h"
#include "support/expect_error.h"
#include "support/specs.h"
#include "unit/export/weights.h"
#include "unroll/core/error.h"

namespace unroll::exporter {
namespace {

using test::CountedWeights;
using test::error_of;

spec::ModelSpec gru_spec() {
  return test::recurrent_spec(
      {.name = "gru", .cell = spec::Cell::gru, .input_size = 2, .hidden_size = 3}, 2);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(CppHeader, WeightsStandColumnByColumnAndToTheBit) {
  const auto header = cpp_header(gru_spec(), CountedWeights(gru_spec()).views());
  // fc.weight (2, 3) = [1 2 3; 4 5 6].
  EXPECT_TRUE(has(header.text,
                  "inline constexpr float fc_weight[6] = {\n"
                  "    0x1p+0f, 0x1p+2f,\n"
                  "    0x1p+1f, 0x1.4p+2f,\n"
                  "    0x1.8p+1f, 0x1.8p+2f,\n"
                  "};\n"))
      << header.text;
  for (const float value : {0.1f, -1.0f / 3, std::numeric_limits<float>::denorm_min(),
                            std::numeric_limits<float>::max(), -0.0f}) {
    const std::string text = literal(value);
    ASSERT_EQ(text.back(), 'f');
    const float read = std::strtof(text.substr(0, text.size() - 1).c_str(), nullptr);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(read), std::bit_cast<std::uint32_t>(value)) << text;
  }
}

TEST(CppHeader, CountsItsBytes) {
  const auto spec = gru_spec();
  const CountedWeights weights(spec);
  // Matrices of 9 x 2, 9 x 3, 2 x 3; biases of 9, 9, 2. Memory: the state, and two rows of sums.
  const auto floats = cpp_header(spec, weights.views());
  EXPECT_EQ(floats.weight_bytes, 4u * (18 + 27 + 6 + 9 + 9 + 2));
  EXPECT_EQ(floats.object_bytes, 4u * (3 + 18));
  const auto int8 = cpp_header(spec, weights.views(), {.int8 = true});
  EXPECT_EQ(int8.weight_bytes, (18u + 27 + 6) + 4 * (9 + 9 + 2) + 4 * (9 + 9 + 2));
  EXPECT_EQ(int8.object_bytes, floats.object_bytes);
  EXPECT_TRUE(has(int8.text, "inline constexpr int8_t gru_weight_hh_l0[27] = {"));
  EXPECT_FALSE(has(floats.text, "int8_t"));
}

// The caller chooses the namespace, so its name is checked.
TEST(CppHeader, NamesOfNamespaces) {
  for (const char* good : {"m", "my_net", "Net2", "x_1_y"}) EXPECT_TRUE(is_cpp_name(good)) << good;
  for (const char* bad : {"", "2net", "_net", "my__net", "my-net", "a::b", "a b", "int",
                          "namespace", "std", "n\xc3\xa4me", "x\n"})
    EXPECT_FALSE(is_cpp_name(bad)) << bad;
  const auto spec = gru_spec();
  const CountedWeights weights(spec);
  EXPECT_TRUE(
      has(cpp_header(spec, weights.views(), {.name = "my_net"}).text, "namespace my_net {"));
  EXPECT_TRUE(
      has(error_of<ValueError>([&] { cpp_header(spec, weights.views(), {.name = "my-net"}); }),
          "'my-net' can't be the name of a C++ namespace"));
}

TEST(Trial14Export, NamesThatAreTakenAreRefused) {
  for (const char* taken :
       {// keywords, of C++20 and GNU too
        "class", "concept", "co_await", "consteval", "char8_t", "xor_eq", "typeof", "register",
        "wchar_t", "export",
        // macros
        "NULL", "offsetof", "INT8_MAX", "UINT_LEAST16_WIDTH", "INTMAX_C", "SIZE_MAX", "linux",
        "unix", "errno", "EOF", "INFINITY", "assert", "stdout",
        // types
        "size_t", "ptrdiff_t", "int8_t", "uint_fast16_t", "max_align_t", "FILE", "va_list", "tm",
        "my_own_t",
        // functions
        "memcpy", "memset", "strlen", "index", "rindex", "bzero", "ffs", "basename", "strdup",
        "tanh", "tanhf", "tanhl", "exp", "log", "y0", "j1f", "gamma", "round", "malloc", "abs",
        "rand", "random", "time", "clock", "signal", "printf", "remove", "isalpha", "main", "read",
        "link", "step_t",
        // namespaces
        "std", "std2", "posix"}) {
    EXPECT_TRUE(is_taken_cpp_name(taken)) << taken;
    EXPECT_FALSE(is_cpp_name(taken)) << taken;
  }
  for (const char* reserved : {"_Net", "__net", "net__", "_", "_net"})
    EXPECT_FALSE(is_cpp_name(reserved)) << reserved;
  // A part of a taken name, or one that only looks alike.
  for (const char* good :
       {"model",  "net",     "lstm",   "LSTM",     "Gru",    "mnist_rnn_tuned_seed0",
        "memory", "stream",  "string", "total",    "island", "stride",
        "Index",  "index_2", "null",   "size",     "e",      "str",
        "stdx",   "std_net", "INT8",   "tanh_net", "half",   "final",
        "detail", "Model"})
    EXPECT_TRUE(is_cpp_name(good)) << good;
  const auto spec = gru_spec();
  const CountedWeights weights(spec);
  EXPECT_EQ(error_of<ValueError>([&] { cpp_header(spec, weights.views(), {.name = "index"}); }),
            "[export] 'index' can't be the name of a C++ namespace: C++ or its library has that "
            "name; choose another");
}

// Names in a file must never become code.
TEST(CppHeader, NamesOfLayersAreOnlyLettersAndDigits) {
  auto spec = gru_spec();
  const std::string bad = "*/ system(\"x\"); \\";
  std::get<spec::RecurrentSpec>(spec.layers[0]).name = bad;
  spec.dataset = bad;
  spec.classes = {bad, bad};
  const auto header = cpp_header(spec, CountedWeights(spec).views());
  EXPECT_FALSE(has(header.text, "*/"));
  EXPECT_FALSE(has(header.text, "\\"));
  EXPECT_FALSE(has(header.text, "system("));
  EXPECT_TRUE(has(header.text, "system_x_weight_ih_l0[18]"));

  CppNames names;
  EXPECT_EQ(names.unique("a.b"), "a_b");
  EXPECT_EQ(names.unique("a_b"), "a_b_2");
  EXPECT_EQ(names.unique("a__b"), "a_b_3");
  EXPECT_EQ(names.unique("_7."), "layer7");
  EXPECT_EQ(names.unique("\xc3\xa4"), "layer");
}

TEST(CppHeader, SpeaksOfPixelsOnlyWhereTheInputIsPixels) {
  spec::ModelSpec spec = gru_spec();
  const CountedWeights weights(spec);
  EXPECT_TRUE(has(cpp_header(spec, weights.views()).text,
                  "for a pixel from 0 to 255 this is\n// (pixel / 255 - 0) / 1."));
  spec.input = spec::SeriesInput{.features = 2};
  const std::string numbers = cpp_header(spec, weights.views()).text;
  EXPECT_TRUE(has(numbers, "// In: the model's inputs as in training.\n"));
  EXPECT_FALSE(has(numbers, "pixel"));
  // Its own scaling is code of the model.
  spec.input = spec::SeriesInput{.features = 2, .mean = {0.5, -1}, .std = {2, 0.25}};
  const std::string scaled = cpp_header(spec, weights.views()).text;
  EXPECT_TRUE(has(scaled, "// In: numbers, which the model scales as in training.\n"));
  EXPECT_TRUE(has(scaled, "0x1p-1f, -0x1p+0f")) << scaled;  // the means
}

TEST(CppHeader, RefusesWhatCanNotBeRunStepByStep) {
  auto both = gru_spec();
  std::get<spec::RecurrentSpec>(both.layers[0]).bidirectional = true;
  std::get<spec::LinearSpec>(both.layers[1]).in_features = 6;
  EXPECT_TRUE(
      has(error_of<ValueError>([&] { cpp_header(both, CountedWeights(both).views()); }),
          "gru is bidirectional: its output at a step depends on later steps; train it with "
          "--bidirectional=off, or use --format onnx"));
  spec::ModelSpec flat;
  flat.input = spec::ImageInput{.form = spec::Form::flat, .height = 2, .width = 2};
  flat.layers = {spec::LinearSpec{"fc", 4, 2}};
  EXPECT_TRUE(has(error_of<ValueError>([&] { cpp_header(flat, CountedWeights(flat).views()); }),
                  "this one reads no sequences"));
}

TEST(CppHeader, RefusesWeightsThatAreNotFiniteOrNotTheModels) {
  const auto spec = gru_spec();
  const CountedWeights weights(spec);
  std::vector<io::ArrayView> views = weights.views();
  const double too_large[] = {1, 1e300};
  views.back() = {"fc.bias", io::ElementType::f64, {2}, std::as_bytes(std::span(too_large))};
  const std::string text = error_of<FormatError>([&] { cpp_header(spec, views); });
  EXPECT_TRUE(has(text, "fc.bias: element 1 is inf")) << text;
  views.pop_back();
  EXPECT_TRUE(has(error_of<FormatError>([&] { cpp_header(spec, views); }), "fc.bias is missing"));
}

}  // namespace
}  // namespace unroll::exporter
