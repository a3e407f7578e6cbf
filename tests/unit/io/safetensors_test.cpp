#include "unroll/io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/file.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

using namespace std::string_literals;

// What the safetensors library 0.8 wrote for torch tensors and metadata={"format": "pt"}:
//   a.weight  [[1, -2.5, 3], [0, 0.5, -0.]]    b  float64 [1.5, -1e300]
//   h  float16 [1, -2**-24, 65504]             l  bool True
const std::string official =
    "\x08\x01\x00\x00\x00\x00\x00\x00{\"__metadata__\":{\"format\":\"pt\"},"
    "\"b\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
    "\"a.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]},"
    "\"h\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[40,46]},"
    "\"l\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[46,47]}}    "
    "\x00\x00\x00\x00\x00\x00\xf8?\x9cu\x00\x88<\xe4"
    "7\xfe"
    "\x00\x00\x80?\x00\x00 \xc0\x00\x00@@\x00\x00\x00\x00\x00\x00\x00?\x00\x00\x00\x80"
    "\x00<\x01\x80\xff{\x01"s;

std::vector<std::byte> bytes_of_text(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Safetensors parse(std::string_view text) { return Safetensors::parse(bytes_of_text(text), "file"); }

/// A file of that header (its length put before it) and that many bytes of data.
std::string file_of(std::string_view header, std::size_t data_size) {
  std::string text(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(text.data(), &length, sizeof length);
  return text.append(header).append(data_size, '\1');
}

/// The error of a file with this header, empty where it is accepted.
std::string error_of(std::string_view header, std::size_t data_size) {
  try {
    parse(file_of(header, data_size));
    return "";
  } catch (const FormatError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
}

void expect_error(std::string_view header, std::size_t data_size, std::string_view part) {
  const std::string error = error_of(header, data_size);
  EXPECT_NE(error.find(part), std::string::npos)
      << "'" << error << "' should contain '" << part << "', header " << header.substr(0, 200);
}

std::string tensor(std::string_view name, std::string_view dtype, std::string_view shape,
                   std::string_view offsets) {
  return "\""s.append(name)
      .append("\":{\"dtype\":\"")
      .append(dtype)
      .append("\",\"shape\":[")
      .append(shape)
      .append("],\"data_offsets\":[")
      .append(offsets)
      .append("]}");
}

void expect_is_official(const Safetensors& file) {
  ASSERT_EQ(file.arrays().size(), 4u);
  EXPECT_EQ(file.arrays()[0].name, "b");
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  const ArrayView* a = file.find("a.weight");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->type, ElementType::f32);
  EXPECT_EQ(a->shape, (std::vector<std::int64_t>{2, 3}));
  std::vector<float> values(6);
  to_floats(*a, values);
  EXPECT_EQ(values, (std::vector<float>{1, -2.5, 3, 0, 0.5, -0.f}));
  std::vector<double> doubles(2), halves(3);
  to_floats(*file.find("b"), doubles);
  EXPECT_EQ(doubles, (std::vector<double>{1.5, -1e300}));
  to_floats(*file.find("h"), halves);
  EXPECT_EQ(halves, (std::vector<double>{1, -0x1p-24, 65504}));
  EXPECT_TRUE(file.find("l")->shape.empty());
  EXPECT_EQ(file.find("l")->data[0], std::byte{1});
  EXPECT_EQ(file.find("A.weight"), nullptr);
}

TEST(Safetensors, ReadsAnOfficialFile) {
  expect_is_official(parse(official));
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  write_file("test", path, official);
  Safetensors file = Safetensors::read(path);
  expect_is_official(file);
  const Safetensors moved = std::move(file);
  expect_is_official(moved);
}

TEST(Safetensors, WritesTheOfficialBytes) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  const Safetensors file = parse(official);
  // Out of the order of their widths, which the writer restores.
  const std::vector<ArrayView> arrays{*file.find("a.weight"), *file.find("h"), *file.find("l"),
                                      *file.find("b")};
  write_safetensors(path, arrays, file.metadata());
  EXPECT_EQ(read_file("test", path, 1 << 20), bytes_of_text(official));
}

TEST(Safetensors, ArraysGoRoundInTheirOrder) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  const std::vector<float> values{1, 2, 3};
  const auto data = std::as_bytes(std::span(values));
  const std::vector<ArrayView> arrays{{"z \" \\ \xc3\xa9", ElementType::f32, {3, 1}, data},
                                      {"empty", ElementType::f32, {2, 0, 5}, {}},
                                      {"a", ElementType::i32, {3}, data}};
  const std::map<std::string, std::string> metadata{{"case", "{\"a\": \"b\\n\"}\n\t"}, {"", "x"}};
  write_safetensors(path, arrays, metadata);
  const Safetensors file = Safetensors::read(path);
  ASSERT_EQ(file.arrays().size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(file.arrays()[i].name, arrays[i].name);
    EXPECT_EQ(file.arrays()[i].type, arrays[i].type);
    EXPECT_EQ(file.arrays()[i].shape, arrays[i].shape);
    EXPECT_TRUE(std::ranges::equal(file.arrays()[i].data, arrays[i].data));
  }
  EXPECT_EQ(file.metadata(), metadata);
}

TEST(Safetensors, NothingButAHeaderIsAFile) {
  EXPECT_TRUE(parse(file_of("{}", 0)).arrays().empty());
  EXPECT_TRUE(parse(file_of("{}  \n  ", 0)).arrays().empty());
}

TEST(Safetensors, WriterRefusesWhatNoReaderAccepts) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  const std::vector<std::byte> data(8);
  const auto write = [&](std::vector<ArrayView> arrays,
                         std::map<std::string, std::string> metadata = {}) {
    write_safetensors(path, arrays, metadata);
  };
  const ArrayView good{"a", ElementType::f32, {2}, data};
  ArrayView bad = good;
  EXPECT_THROW(write({good, good}), ValueError);
  for (const char* name : {"", "__metadata__", "a\nb", "\xff"}) {
    bad.name = name;
    EXPECT_THROW(write({bad}), ValueError) << name;
  }
  EXPECT_THROW(write({good}, {{"a", "\xc3("}}), ValueError);
  bad = good;
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{3}, {1}, {-2}, {-1, -2}, {1LL << 62, 1LL << 62}}) {
    bad.shape = shape;
    EXPECT_THROW(write({bad}), ShapeError);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, MissingFileAndFolderAreNamed) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(Safetensors::read(folder / "none.safetensors"), FileError);
  EXPECT_THROW(Safetensors::read(folder.path()), FileError);
  EXPECT_THROW(write_safetensors(folder / "none/x", {}), FileError);
}

TEST(Fault26, SafetensorsTruncatedAtEveryOffset) {
  const test::TemporaryFolder folder;
  for (std::size_t size = 0; size < official.size(); ++size) {
    EXPECT_THROW(parse(official.substr(0, size)), FormatError) << size;
    const std::string path = folder.write("m.safetensors", official.substr(0, size));
    EXPECT_THROW(Safetensors::read(path), FormatError) << size;
  }
}

// The structure alone: a bit that changes a name or a dimension is for the checksum to find.
TEST(Fault27, SafetensorsBitFlippedInEveryHeaderByte) {
  const std::size_t header_end = 8 + 0x108;
  int refused = 0;
  for (std::size_t place = 0; place < header_end; ++place) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string text = official;
      text[place] = static_cast<char>(text[place] ^ (1 << bit));
      try {
        parse(text);
      } catch (const FormatError&) {
        ++refused;
      }
    }
  }
  EXPECT_GE(refused, 2000);  // of 2176 flips; what is left changes names and texts
}

TEST(Fault28, SafetensorsHeaderLengthRefused) {
  for (const std::uint64_t length :
       {std::uint64_t{1} << 63, ~std::uint64_t{0}, std::uint64_t{33'554'433}}) {
    std::string text(8, '\0');
    std::memcpy(text.data(), &length, sizeof length);
    EXPECT_THROW(parse(text), FormatError);
    EXPECT_THROW(parse(text + "{}"), FormatError);
  }
  // A file as long as its header says, but sparse: the limit refuses it, not its end.
  const test::TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  const std::uint64_t length = 33'554'433;
  write_file("test", path, {reinterpret_cast<const char*>(&length), sizeof length});
  std::filesystem::resize_file(path, length + 8);
  try {
    Safetensors::read(path);
    ADD_FAILURE() << "accepted";
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("limit of 33554432"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos);
  }
}

TEST(Fault29, SafetensorsOffsetsRefused) {
  const auto two = [](std::string_view first, std::string_view second) {
    return "{" + tensor("a", "F32", "2", first) + "," + tensor("b", "F32", "2", second) + "}";
  };
  EXPECT_EQ(error_of(two("0,8", "8,16"), 16), "");
  EXPECT_EQ(error_of(two("8,16", "0,8"), 16), "");
  expect_error(two("0,8", "4,12"), 12, "overlapping");
  expect_error(two("0,8", "0,8"), 8, "overlapping");
  expect_error(two("0,8", "12,20"), 20, "after a gap");
  expect_error(two("4,12", "12,20"), 20, "after a gap");
  expect_error(two("0,8", "8,16"), 17, "cover 16 bytes, the data has 17");
  expect_error(two("0,8", "16,8"), 16, "backwards");
  expect_error(two("0,8", "8,16"), 15, "outside");
  expect_error(two("0,8", "18446744073709551608,18446744073709551615"), 16, "outside");
  expect_error(two("0,8", "-8,0"), 16, "negative");
  expect_error(two("0,8", "8"), 16, "1 data_offsets");
  expect_error(two("0,8", "8,16,24"), 24, "more than 2");
  expect_error(two("0,8", "8,16.0"), 16, "not an integer");
  expect_error(two("0,8", "8,1e2"), 100, "not an integer");
  expect_error(two("0,8", "8,36893488147419103232"), 16, "not an integer");
  expect_error("{}", 1, "cover 0 bytes");
}

TEST(Fault30, SafetensorsDuplicateKeysNestingAndUtf8Refused) {
  const std::string a = tensor("a", "F32", "2", "0,8"), b = tensor("a", "F32", "2", "8,16");
  expect_error("{" + a + "," + b + "}", 16, "\"a\" twice");
  expect_error(R"({"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4,
               "twice");
  expect_error(R"({"__metadata__":{"k":"1","k":"2"}})", 0, "\"k\" twice");
  expect_error(R"({"__metadata__":{},"__metadata__":{}})", 0, "twice");
  expect_error(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,2]},"\u0061":{"dtype":"F16",)"
               R"("shape":[],"data_offsets":[2,4]}})",
               4, "\"a\" twice");

  const int depth = 100'000;
  const auto repeated = [](std::string_view part, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += part;
    return text;
  };
  const std::string arrays = std::string(depth, '[') + std::string(depth, ']');
  expect_error(arrays, 0, "does not start with '{'");
  expect_error("{\"a\":" + arrays + "}", 0, "an array in a place where the format allows none");
  expect_error("{\"a\":{\"dtype\":\"F32\",\"shape\":" + arrays + "}}", 0, "an array");
  expect_error("{\"__metadata__\":{\"a\":" + arrays + "}}", 0, "an array");
  expect_error(repeated("{\"dtype\":", depth) + "1" + std::string(depth, '}'), 0, "an object");

  for (const char* bad : {"\xff", "\xc3(", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    expect_error("{" + tensor(bad, "F32", "1", "0,4") + "}", 4, "not JSON in UTF-8");
    expect_error("{\"__metadata__\":{\"k\":\""s + bad + "\"}}", 0, "not JSON in UTF-8");
  }
}

TEST(Fault31, SafetensorsShapeAndTypeRefused) {
  const auto one = [](std::string_view dtype, std::string_view shape) {
    return "{" + tensor("a", dtype, shape, "0,8") + "}";
  };
  EXPECT_EQ(error_of(one("F32", "2"), 8), "");
  EXPECT_EQ(error_of(one("U8", "2,2,2"), 8), "");
  expect_error(one("F32", "3"), 8, "does not fit its 8 bytes");
  expect_error(one("F64", "2"), 8, "does not fit");
  expect_error(one("F32", "-2"), 8, "negative");
  expect_error(one("F32", "-1,-2"), 8, "negative");
  expect_error(one("F32", "2.0"), 8, "not an integer");
  expect_error(one("F32", "\"2\""), 8, "a string");
  expect_error(one("F32", "9223372036854775808"), 8, "dimension");
  // 2^62 * 2^62, and 2^31 * 2^31 * 4 = 2^64, which wraps to 0
  expect_error(one("U8", "4611686018427387904,4611686018427387904"), 8, "does not fit");
  expect_error("{" + tensor("a", "F32", "2147483648,2147483648", "0,0") + "}", 0, "does not fit");
  std::string many = "1";
  for (int i = 0; i < 64; ++i) many += ",1";
  expect_error(one("F64", many), 8, "more dimensions than the limit of 64");

  for (const char* type : {"F8_E4M3", "F4", "U16", "C64", "f32", ""})
    expect_error(one(type, "8"), 8, "element type \""s + type + "\", which is not supported");
}

TEST(Safetensors, OtherJsonIsRefused) {
  expect_error("", 0, "does not start");
  expect_error(" {}", 0, "does not start");
  expect_error("\xef\xbb\xbf{}", 0, "does not start");
  expect_error("{", 0, "not JSON");
  expect_error("{}x", 0, "not JSON");
  expect_error("{}{}", 0, "not JSON");
  expect_error("{}\0garbage"s, 0, "NUL");
  expect_error("{}\0"s, 0, "NUL");
  expect_error("{/**/}", 0, "not JSON");
  expect_error(R"({"a":1})", 0, "a number");
  expect_error(R"({"a":null})", 0, "null");
  expect_error(R"({"a":true})", 0, "a boolean");
  expect_error(R"({"a":"b"})", 0, "a string");
  expect_error(R"({"a":1e999})", 0, "not JSON");
  expect_error(R"({"__metadata__":{"k":1}})", 0, "a number");
  expect_error(R"({"__metadata__":{"k":null}})", 0, "null");
  expect_error(R"({"a":{}})", 0, "no \"dtype\"");
  expect_error(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "no \"shape\"");
  expect_error(R"({"a":{"dtype":"F32","shape":[]}})", 4, "no \"data_offsets\"");
  expect_error(R"({"a":{"dtype":4,"shape":[],"data_offsets":[0,4]}})", 4, "a number");
}

// As safetensors 0.8.0 reads them.
TEST(Trial09, SafetensorsFieldsThatAreNotKnownAreSkipped) {
  const Safetensors file = parse(file_of(
      R"({"__metadata__":null,"a":{"x":{"y":[1,{"dtype":null}],"y":-2.5},"dtype":"F32","z":[],)"
      R"("shape":[1],"z":true,"data_offsets":[0,4],"s":"t","n":null,"o":{}},)"
      R"("b":{"data_offsets":[4,8],"shape":[],"dtype":"I32","more":-1}})",
      8));
  ASSERT_EQ(file.arrays().size(), 2u);
  EXPECT_EQ(file.arrays()[0].shape, std::vector<std::int64_t>{1});
  EXPECT_EQ(file.arrays()[1].type, ElementType::i32);
  EXPECT_TRUE(file.metadata().empty());
  // Still refused: what is known, twice, and what is not a tensor at all.
  expect_error(R"({"a":{"x":1,"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4,
               "\"dtype\" twice");
  expect_error(R"({"x":1})", 0, "a number");
  expect_error(R"({"a":{"x":[1,"dtype":"F32"]}})", 0, "not JSON");
}

TEST(Trial09, SafetensorsLimitsAreCalledLimits) {
  const std::string shape = [] {
    std::string ones = "1";
    for (int i = 0; i < 64; ++i) ones += ",1";
    return ones;
  }();
  for (const std::string& error : {error_of("{" + tensor("a", "F32", shape, "0,4") + "}", 4),
                                   error_of("{" + tensor("", "F32", "1", "0,4") + "}", 4),
                                   error_of("{" + tensor("a", "F8_E4M3", "4", "0,4") + "}", 4)})
    EXPECT_EQ(error.find("damaged"), std::string::npos) << error;
  expect_error("{" + tensor("a", "F32", shape, "0,4") + "}", 4,
               "more dimensions than the limit of 64");
}

// An error stays one short line whatever the names in the file are.
TEST(Safetensors, NamesAreMadePrintable) {
  expect_error("{" + tensor("", "F32", "1", "0,4") + "}", 4, "empty");
  expect_error(R"({"a\nb\u001b":{}})", 0, "\"a\\nb\\x1b\"");
  const std::string error = error_of(
      "{" + tensor(std::string(99, 'x') + "\xc3\xa9" + std::string(1000, 'y'), "F32", "1", "0,5") +
          "}",
      5);
  EXPECT_NE(error.find(std::string(99, 'x') + "...\""), std::string::npos);
  EXPECT_LT(error.size(), 400u);
}

}  // namespace
}  // namespace unroll::io
