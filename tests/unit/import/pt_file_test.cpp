#include <gtest/gtest.h>

#include <cmath>

#include "import/state_dict.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "unit/import/archives.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using namespace std::string_literals;
using test::error_of;
using enum io::ElementType;

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

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
               {"\"epoch\" is no dictionary of tensors"});
  expect_parts(error_of<FormatError>([] { read_state_dict(path_of("two.pt")); }),
               {"several", "--key", "\"encoder\", \"decoder\""});
  EXPECT_EQ(read_state_dict(path_of("two.pt"), "decoder").arrays.size(), 2u);
}

TEST(PtFile, NothingIsExecuted) {
  expect_parts(error_of<FormatError>([] { read_state_dict(path_of("attack.pt")); }),
               {"attack.pt", "\"posix.system\"", "nothing was executed"});
  expect_parts(error_of<FormatError>([] { read_state_dict(path_of("module.pt")); }),
               {"\"__main__.Net\"", "torch.save(model.state_dict()"});
  EXPECT_FALSE(std::filesystem::exists("attacked"));
}

TEST(PtFile, OtherFilesAreNamed) {
  expect_parts(error_of<FormatError>([] { read_state_dict(path_of("legacy.pt")); }),
               {"legacy.pt", "before PyTorch 1.6", "torch.save(torch.load("});
  const test::TemporaryFolder folder;
  EXPECT_THROW(read_state_dict(folder / "none.pt"), FileError);
  EXPECT_THROW(read_state_dict(folder.write("empty.pt", "")), FormatError);
  EXPECT_THROW(read_state_dict(folder.write("text.pt", "not a model, but some text")), FormatError);
  expect_parts(error_of<FormatError>([] {
                 parse_pt(zip_of({{"a.txt", "x"}}), "x.pt");
               }),
               {"not one of torch.save"});
  expect_parts(error_of<FormatError>([] {
                 parse_pt(zip_of({{"a/data.pkl", "\x80\x02}."}, {"a/byteorder", "big"}}), "x.pt");
               }),
               {"not little-endian"});
  for (const char* pickle : {"\x80\x02]." /* a list */, "\x80\x02}.", "\x80\x02}K\x01Ns."})
    EXPECT_THROW(parse_pt(zip_of({{"a/data.pkl", pickle}}), "x.pt"), FormatError);
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

/// A file with one f32 tensor "w" that may be anything, over a storage of 6 numbers.
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

/// What a damaged file may do: be read, or be refused.
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
