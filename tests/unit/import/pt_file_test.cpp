#include <gtest/gtest.h>

#include <cmath>

#include "import/state_dict.h"
#include "support/expect_error.h"
#include "support/expect_parts.h"
#include "support/temporary_folder.h"
#include "unit/import/archives.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using namespace std::string_literals;
using test::error_of;
using enum io::ElementType;

using test::expect_parts;

const io::ArrayView& array_of(const StateDict& state, std::string_view name) {
  for (const auto& array : state.arrays)
    if (array.name == name) return array;
  throw std::runtime_error("no tensor " + std::string(name));
}

using Shape = std::vector<std::int64_t>;

void expect_tensor(const StateDict& state, const char* name, io::ElementType type,
                   const Shape& shape, const std::vector<double>& values) {
  const io::ArrayView& array = array_of(state, name);
  EXPECT_EQ(array.type, type) << name;
  EXPECT_EQ(array.shape, shape) << name;
  EXPECT_EQ(io::floats_of<double>(array), values) << name;
}

TEST(PtFile, TensorsOfEveryTypeAndStride) {
  const StateDict state = read_state_dict(path_of("tensors.pt"));
  EXPECT_EQ(state.arrays.size(), 11u);
  const std::vector<double> six = {0, 0.125, 0.25, 0.375, 0.5, 0.625};
  expect_tensor(state, "f16", f16, {2, 3}, six);
  expect_tensor(state, "bf16", bf16, {2, 3}, six);
  expect_tensor(state, "f64", f64, {2, 3}, six);
  std::vector<double> transposed;
  for (int column = 0; column < 6; ++column)
    for (int row = 0; row < 4; ++row) transposed.push_back((6 * row + column) / 8.0);
  expect_tensor(state, "transposed", f32, {6, 4}, transposed);
  expect_tensor(state, "sliced", f32, {2, 2}, {8 / 8.0, 10 / 8.0, 14 / 8.0, 16 / 8.0});
  expect_tensor(state, "expanded", f32, {2, 3}, std::vector<double>(6, 0.625));
  expect_tensor(state, "scalar", f32, {}, {2.5});
  expect_tensor(state, "empty", f32, {0, 3}, {});
  expect_tensor(state, "parameter", f32, {2}, {0, 0.125});
  EXPECT_EQ(array_of(state, "i64").type, i64);
  EXPECT_EQ(array_of(state, "bool").type, boolean);
}

TEST(PtFile, FindsTheWeightsOfACheckpoint) {
  const StateDict state = read_state_dict(path_of("checkpoint.pt"));
  EXPECT_EQ(state.arrays.size(), 6u);
  expect_tensor(state, "fc.bias", f32, {2}, {-1 / 64.0, 0});
  EXPECT_EQ(read_state_dict(path_of("checkpoint.pt"), "model_state_dict").arrays.size(), 6u);
  expect_parts(error_of<FormatError>([] { read_state_dict(path_of("checkpoint.pt"), "model"); }),
               {"no key \"model\"", "\"epoch\"", "\"model_state_dict\""});
  expect_parts(error_of<FormatError>([] { read_state_dict(path_of("checkpoint.pt"), "epoch"); }),
               {"\"epoch\" is not a dictionary of tensors", "\"model_state_dict\""});
  EXPECT_EQ(read_state_dict(path_of("two.pt"), "decoder").arrays.size(), 2u);
}

TEST(PtFile, NothingIsExecuted) {
  expect_parts(error_of<FormatError>([] { read_state_dict(path_of("attack.pt")); }),
               {"attack.pt", "\"posix.system\"", "nothing was executed"});
  EXPECT_FALSE(std::filesystem::exists("attacked"));
}

TEST(PtFile, OtherFilesAreNamed) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(read_state_dict(folder / "none.pt"), FileError);
  expect_parts(error_of<FormatError>([] {
                 parse_pt(zip_of({{"a.txt", "x"}}), "x.pt");
               }),
               {"x.pt is a zip archive, expected a .pt"});
  expect_parts(error_of<FormatError>([] {
                 parse_pt(zip_of({{"a/version", "3"}, {"a/data/0", "x"}}), "x.pt");
               }),
               {"it has no data.pkl", "torch.save was probably interrupted"});
  expect_parts(error_of<FormatError>([] {
                 parse_pt(zip_of({{"a/data.pkl", "\x80\x02}."}, {"a/byteorder", "big"}}), "x.pt");
               }),
               {"not little-endian"});
  for (const char* pickle :
       {"\x80\x02]." /* a list */, "\x80\x02}.", "\x80\x02}K\x01Ns.", "\x80\x02}.." /* goes on */})
    EXPECT_THROW(parse_pt(zip_of({{"a/data.pkl", pickle}}), "x.pt"), FormatError);
}

// The weights of Net in make_files.py, among others.
void expect_net(const StateDict& state, const std::string& prefix = "") {
  EXPECT_EQ(state.arrays.size(), 6u);
  expect_tensor(state, (prefix + "fc.bias").c_str(), f32, {2}, {-1 / 64.0, 0});
  const io::ArrayView& w = array_of(state, prefix + "rnn.weight_hh_l0");
  EXPECT_EQ(w.shape, (Shape{16, 4}));
  EXPECT_EQ(io::floats_of<double>(w).back(), 31 / 64.0);
}

TEST(Trial09, ObjectsThatWeightsOnlyTakesAreSkipped) {
  for (const char* file : {"objects.pt", "objects4.pt"})
    expect_net(read_state_dict(path_of(file), "state_dict"));
  // It is also the only dictionary that has only tensors.
  expect_net(read_state_dict(path_of("objects.pt")));
  // The error names a tensor of an unsupported kind, and --ignore leaves it out.
  for (const char* proto : {"\x80\x02", "\x80\x04"}) {
    const std::string pickle =
        proto +
        "}(X\1\0\0\0qctorch._utils\n_rebuild_qtensor\n)RX\1\0\0\0pctorch._utils\n"
        "_rebuild_parameter\n(ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n"
        "FloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\1tQK\0K\1\x85K\1\x85\x89}tR\x88}tRu."s;
    const Bytes file = zip_of({{"a/data.pkl", pickle}, {"a/data/0", "\0\0\x80\x3f"s}});
    expect_parts(error_of<FormatError>([&] { parse_pt(file, "x.pt"); }),
                 {"\"q\" is made by torch._utils._rebuild_qtensor", "not supported", "--ignore"});
    const std::vector<std::string> ignore = {"q*"};
    const StateDict state = parse_pt(file, "x.pt", "", ignore);
    expect_tensor(state, "p", f32, {1}, {1});
    EXPECT_EQ(state.ignored, std::vector<std::string>{"q"});
  }
}

TEST(Trial10, WholeModulesHaveTheNamesOfTheirStateDict) {
  expect_net(read_state_dict(path_of("module.pt")));
}

TEST(Trial10, TorchScriptHasTheNamesOfItsModules) {
  const StateDict state = read_state_dict(path_of("script.pt"));
  EXPECT_EQ(state.arrays.size(), 5u);
  expect_tensor(state, "mean", f32, {2}, {0.5, 0.25});
  expect_tensor(state, "head.weight", f32, {1, 2}, {0.5, -2});
  EXPECT_EQ(array_of(state, "body.0.weight").shape, (Shape{2, 2}));
}

TEST(Trial10, FilesOfBeforePyTorch16AreRead) {
  EXPECT_EQ(array_of(read_state_dict(path_of("legacy.pt")), "weight").shape, (Shape{1, 2}));
  expect_net(read_state_dict(path_of("old_net.pt"), "net"));
  const Bytes good = torch_file("legacy.pt");
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW(parse_pt({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}, "x.pt"),
                 FormatError)
        << size;
}

std::string text(const std::string& value) {
  std::string size;
  for (int i = 0; i < 4; ++i) size += static_cast<char>(value.size() >> (8 * i));
  return "X" + size + value;
}

const std::string kTensor =
    "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\n"
    "X\1\0\0\0000X\3\0\0\0cpuK\1tQK\0K\1\x85K\1\x85\x89}tR"s;

StateDict read_program(const std::string& pickle, const std::string& key = "") {
  return parse_pt(zip_of({{"a/data.pkl", pickle}, {"a/data/0", "\0\0\x80\x3f"s}}), "x.pt", key);
}

TEST(Trial10, ModulesThatHoldEachOtherEnd) {
  const auto module = [](const std::string& modules) {
    return "cx\nNet\n)\x81q\1}(" + text("_parameters") + "}" + text("w") + kTensor + "s" +
           text("_buffers") + "}" + text("_modules") + modules + "ub.";
  };
  EXPECT_EQ(read_program(module("}")).arrays.size(), 1u);
  expect_parts(error_of<FormatError>([&] { read_program(module("}" + text("m") + "h\1s")); }),
               {"nested deeper than 64", "limit"});
  // The module contains itself twice: 2 to the power of 64 modules.
  expect_parts(error_of<FormatError>(
                   [&] { read_program(module("}(" + text("m") + "h\1" + text("n") + "h\1u")); }),
               {"nested deeper than 64", "limit"});
}

TEST(Trial12, AKeyIsAPath) {
  const std::string dict = "}" + text("rnn.w") + kTensor + "s";
  const std::string several = "}(" + text("a") + "}(" + text("b") + dict + text("c.d") + dict +
                              "u" + text("list") + "](N" + dict + "e" + text("n") + "K\1u.";
  for (const char* key : {"a.b", "a.c.d", "list.1"})
    EXPECT_EQ(read_program(several, key).arrays.size(), 1u) << key;
  EXPECT_EQ(read_program("}" + text("run") + "}" + text("model") + dict + "ss.").arrays.size(), 1u);
  EXPECT_EQ(read_program("](" + dict + "Ne.").arrays.size(), 1u);
  EXPECT_EQ(read_program("](" + dict + "Ne.", "0").arrays.size(), 1u);
  // Several are equally deep: the error lists all paths that can be typed.
  expect_parts(error_of<FormatError>([&] { read_program(several); }),
               {"several", "--key: \"a.b\", \"a.c.d\", \"list.1\""});
  expect_parts(error_of<FormatError>([&] { read_program(several, "a.x"); }),
               {"no key \"x\", only \"b\", \"c.d\"", "\"list.1\""});
  expect_parts(error_of<FormatError>([&] { read_program(several, "n"); }),
               {"\"n\" is not a dictionary of tensors", "\"a.b\""});
  expect_parts(error_of<FormatError>([&] { read_program(several, "a"); }),
               {"several", "\"a.b\", \"a.c.d\""});
  // A file that PyTorch wrote.
  expect_parts(error_of<FormatError>([&] { read_state_dict(path_of("deep.pt")); }),
               {"\"run.model\", \"run.ema\""});
  expect_net(read_state_dict(path_of("deep.pt"), "run.model"));
}

TEST(Trial12, DictionariesOfOneLayerEachAreTakenTogether) {
  const StateDict state = read_state_dict(path_of("layers.pt"));
  expect_net(state);
  expect_parts(state.note, {"\"rnn\", \"fc\"", "--key"});
  EXPECT_EQ(read_state_dict(path_of("layers.pt"), "fc").arrays.size(), 2u);
  const StateDict two = read_state_dict(path_of("two.pt"));
  EXPECT_EQ(two.arrays.size(), 4u);
  EXPECT_EQ(array_of(two, "decoder.weight").shape, (Shape{1, 2}));
}

TEST(Trial12, WhatIsIgnoredIsNotRead) {
  const std::vector<std::string> ignore = {"fc.*", "rnn.bias_?h_l0"};
  const StateDict state = read_state_dict(path_of("layers.pt"), "", ignore);
  EXPECT_EQ(state.arrays.size(), 2u);
  EXPECT_EQ(state.ignored,
            (std::vector<std::string>{"rnn.bias_ih_l0", "rnn.bias_hh_l0", "fc.weight", "fc.bias"}));
  // Values beside the tensors are named.
  const StateDict mixed =
      read_program("}(" + text("w") + kTensor + text("epoch") + "K\1" + text("none") + "Nu.");
  EXPECT_EQ(mixed.arrays.size(), 1u);
  EXPECT_EQ(mixed.no_tensors, std::vector<std::string>{"epoch"});
}

std::string number(std::int64_t value) {
  std::string text = "\x8a\x08";
  for (int i = 0; i < 8; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string tuple(const Shape& values) {
  std::string text = "(";
  for (const std::int64_t value : values) text += number(value);
  return text + "t";
}

/// A file with one f32 tensor "w" of any offset, shape and strides, over a storage of 6 numbers.
StateDict one_tensor(std::int64_t stored, std::int64_t offset, const Shape& sizes,
                     const Shape& strides, const std::string& name = "w", bool compressed = false) {
  std::string pickle = "\x80\x02}X";
  for (int i = 0; i < 4; ++i) pickle += static_cast<char>(name.size() >> (8 * i));
  pickle += name +
            "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"s +
            "X\x01\0\0\0000X\x03\0\0\0cpu"s + number(stored) + "tQ" + number(offset) +
            tuple(sizes) + tuple(strides) + "\x89}tRs.";
  std::string content(24, '\0');
  for (int i = 0; i < 6; ++i) {
    const float value = static_cast<float>(i);
    std::memcpy(content.data() + 4 * i, &value, sizeof value);
  }
  return parse_pt(zip_of({{"m/data.pkl", pickle}, {"m/data/0", content}}, compressed), "x.pt");
}

TEST(PtFile, SizesAreCheckedAgainstTheFile) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  expect_tensor(one_tensor(6, 0, {2, 3}, {3, 1}), "w", f32, {2, 3}, {0, 1, 2, 3, 4, 5});
  expect_tensor(one_tensor(6, 1, {5}, {1}), "w", f32, {5}, {1, 2, 3, 4, 5});
  expect_tensor(one_tensor(6, 0, {2, 3}, {3, 1}, "w", true), "w", f32, {2, 3}, {0, 1, 2, 3, 4, 5});
  struct Bad {
    std::int64_t stored, offset;
    Shape sizes, strides;
  };
  for (const Bad& bad : std::vector<Bad>{{6, 1, {2, 3}, {3, 1}},
                                         {6, 6, {1}, {1}},
                                         {6, 0, {7}, {1}},
                                         {6, -1, {1}, {1}},
                                         {6, 0, {-1}, {1}},
                                         {6, 5, {2}, {-1}},
                                         {6, 0, {2, 3}, {1}},
                                         {7, 0, {7}, {1}},
                                         {5, 0, {5}, {1}},
                                         {-6, 0, {1}, {1}},
                                         {kHuge, 0, {kHuge}, {1}},
                                         {kHuge, kHuge, {2}, {kHuge}},
                                         {kHuge / 4, 0, {kHuge / 4}, {1}},
                                         {6, 0, {kHuge}, {0}},
                                         {6, 0, {kHuge, kHuge, kHuge}, {0, 0, 0}},
                                         {6, 0, {1 << 20}, {0}},
                                         {6, 0, Shape(65, 1), Shape(65, 1)}})
    EXPECT_THROW(one_tensor(bad.stored, bad.offset, bad.sizes, bad.strides), FormatError)
        << bad.stored << " " << bad.offset;
  expect_parts(error_of<FormatError>([&] { one_tensor(6, 4, {3}, {1}); }),
               {"x.pt", "\"w\" of shape [3] reaches beyond the 6 elements"});
  for (const char* name : {"", "\x1b[2J", "\xff"})
    EXPECT_THROW(one_tensor(6, 0, {6}, {1}, name), FormatError);
}

/// Reads a damaged file. It may be read or refused, but nothing else may happen.
void expect_no_harm(const Bytes& bytes) {
  try {
    parse_pt(bytes, "x.pt");
  } catch (const FormatError&) {
  }
}

TEST(PtFile, DamageIsFound) {
  const Bytes good = torch_file("lstm.pt");
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW(parse_pt({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}, "x.pt"),
                 FormatError)
        << size;
  Bytes bad = good;
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      bad[i] ^= static_cast<std::byte>(1 << bit);
      expect_no_harm(bad);
      bad[i] = good[i];
    }
}

}  // namespace
}  // namespace unroll::importer
