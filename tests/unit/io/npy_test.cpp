#include "unroll/io/npy.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"

namespace unroll::io {
namespace {

using namespace std::string_literals;

// numpy.save of numpy.array([[1, 2, 3], [4, 5, 6.5]], numpy.float32)
const std::string numpy_f32 =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"s +
    std::string(58, ' ') +
    "\n\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@\x00\x00\xa0@\x00\x00\xd0@"s;
// numpy.save of numpy.array([1.5])
const std::string numpy_f64 =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"s +
    std::string(60, ' ') + "\n\x00\x00\x00\x00\x00\x00\xf8?"s;

class Npy : public ::testing::Test {
 protected:
  std::string content() const {
    const auto bytes = read_file("test", path_, 1 << 20);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  NpyArray read(std::string_view text) const {
    return read_npy(folder_.write("array.npy", std::string(text)));
  }

  test::TemporaryFolder folder_;
  std::string path_ = folder_ / "array.npy";
};

TEST_F(Npy, WritesTheBytesOfNumpy) {
  write_npy(path_, {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6.5});
  EXPECT_EQ(content(), numpy_f32);
  write_npy(path_, {1}, std::vector<double>{1.5});
  EXPECT_EQ(content(), numpy_f64);
}

TEST_F(Npy, ReadsTheBytesOfNumpy) {
  const NpyArray array = read(numpy_f32);
  EXPECT_EQ(array.type, ElementType::f32);
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, 3}));
  std::vector<double> values(6);
  to_floats(array.view(), values);
  EXPECT_EQ(values, (std::vector<double>{1, 2, 3, 4, 5, 6.5}));
  EXPECT_EQ(read(numpy_f64).type, ElementType::f64);
}

TEST_F(Npy, ReadsFortranOrder) {
  // numpy.save of numpy.arange(6, dtype=numpy.float32).reshape(3, 1, 2).T
  const NpyArray two =
      read("\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1, 3), }"s +
           std::string(56, ' ') +
           "\n\x00\x00\x00\x00\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@\x00\x00\xa0@"s);
  EXPECT_EQ(two.shape, (std::vector<std::int64_t>{2, 1, 3}));
  EXPECT_EQ(floats_of<float>(two.view()), (std::vector<float>{0, 2, 4, 1, 3, 5}));
  // Three sizes: element (i, j, k) of (2, 3, 4) is i + 2 j + 6 k, its place in the file.
  std::string text =
      "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 4), }"s +
      std::string(56, ' ') + "\n";
  for (int n = 0; n < 24; ++n) {
    const auto value = static_cast<float>(n);
    text.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  const auto values = floats_of<float>(read(text).view());
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 4; ++k)
        EXPECT_EQ(values[12 * i + 4 * j + k], static_cast<float>(i + 2 * j + 6 * k));
  text.replace(text.find("2, 3, 4"), 7, "0, 3, 4");
  EXPECT_THROW(read(text), FormatError);
  EXPECT_TRUE(read(text.substr(0, 128)).data.empty());
}

TEST_F(Npy, FortranOrderOfMoreDimensionsThanNumpyHasIsRefused) {
  const auto of_ones = [](int dimensions) {
    std::string text = "{'descr': '<f4', 'fortran_order': True, 'shape': (";
    for (int d = 0; d < dimensions; ++d) text += "1,";
    text += "), }\n";
    const auto low = static_cast<char>(text.size() & 0xff);
    const auto high = static_cast<char>(text.size() >> 8);
    return "\x93NUMPY\x01\x00"s + low + high + text + "\x00\x00\x80?"s;
  };
  EXPECT_EQ(read(of_ones(64)).shape.size(), 64u);
  EXPECT_THROW(read(of_ones(65)), FormatError);
}

TEST_F(Npy, ScalarsAndEmptyArraysGoRound) {
  write_npy(path_, {}, std::vector<float>{2});
  EXPECT_TRUE(read_npy(path_).shape.empty());
  write_npy(path_, {0, 4}, std::vector<float>{});
  EXPECT_EQ(read_npy(path_).shape, (std::vector<std::int64_t>{0, 4}));
  EXPECT_TRUE(read_npy(path_).data.empty());
}

TEST_F(Npy, SizesThatDoNotFitAreRefused) {
  EXPECT_THROW(write_npy(path_, {2, 3}, std::vector<float>(5)), ShapeError);
  EXPECT_THROW(write_npy(path_, {-1}, std::vector<float>{}), ShapeError);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

using Fault26Npy = Npy;
TEST_F(Fault26Npy, TruncatedAtEveryOffset) {
  for (std::size_t size = 0; size < numpy_f32.size(); ++size)
    EXPECT_THROW(read(numpy_f32.substr(0, size)), FormatError) << size;
  EXPECT_THROW(read(numpy_f32 + "x"), FormatError);
}

/// An .npy file as numpy.save writes one.
std::string npy(const std::string& type, const std::string& shape, const std::string& data,
                char version = 1) {
  std::string header = "{'descr': " + type + ", 'fortran_order': False, 'shape': " + shape + ", }";
  const std::size_t prefix = version == 1 ? 10 : 12;
  header.append(63 - (prefix + header.size()) % 64, ' ').push_back('\n');
  std::string start = "\x93NUMPY"s + version + '\0' + static_cast<char>(header.size()) + '\0';
  if (version > 1) start.append(2, '\0');
  return start + header + data;
}

using Trial13Npy = Npy;

TEST_F(Trial13Npy, EveryKindOfNumber) {
  struct Case {
    std::string type, data;
    std::vector<double> values;
    ElementType as;
  };
  const auto f32 = ElementType::f32, f64 = ElementType::f64;
  const std::vector<Case> cases = {
      // Halves by their bits: IEEE 754, 5 of exponent and 10 of mantissa.
      {"'<f2'", "\x00\x3c\x00\xc0\xff\x7b\x01\x00"s, {1, -2, 65504, 0x1p-24}, f32},
      {"'>f2'", "\x3c\x00\xc0\x00\x7b\xff\x00\x01"s, {1, -2, 65504, 0x1p-24}, f32},
      {"'>f4'", "\x3f\x80\x00\x00\xc0\x20\x00\x00"s, {1, -2.5}, f32},
      {"'>f8'", "\x3f\xf8\x00\x00\x00\x00\x00\x00"s, {1.5}, f64},
      {"'=f4'", "\x00\x00\x80?"s, {1}, f32},
      {"'|b1'", "\x00\x01\x01"s, {0, 1, 1}, f32},
      {"'|i1'", "\x01\xff\x80"s, {1, -1, -128}, f32},
      {"'|u1'", "\x01\xff\x80"s, {1, 255, 128}, f32},
      {"'<i2'", "\x02\x01\xff\xff\x00\x80"s, {258, -1, -32768}, f32},
      {"'>u2'", "\x02\x01\xff\xff"s, {513, 65535}, f32},
      {"'<i4'", "\x01\x00\x00\x01\xff\xff\xff\x7f"s, {16777217, 2147483647}, f64},
      {"'<u4'", "\xff\xff\xff\xff"s, {4294967295}, f64},
      {"'<i8'", "\xff\xff\xff\xff\xff\xff\xff\xff"s, {-1}, f64},
      {"'>i8'", "\x00\x20\x00\x00\x00\x00\x00\x00"s, {9007199254740992}, f64},
      {"'<u8'", "\xff\xff\xff\xff\xff\xff\xff\xff"s, {0x1p64}, f64},
  };
  for (const Case& c : cases) {
    const auto count = static_cast<std::int64_t>(c.values.size());
    const NpyArray array = read(npy(c.type, "(" + std::to_string(count) + ",)", c.data));
    EXPECT_EQ(array.type, c.as) << c.type;
    EXPECT_EQ(array.shape, std::vector<std::int64_t>{count}) << c.type;
    EXPECT_EQ(floats_of<double>(array.view()), c.values) << c.type;
  }
}

TEST_F(Trial13Npy, Versions2And3) {
  const std::string data = "\x00\x00\x80?\x00\x00\x00@"s;
  for (const char version : {1, 2, 3})
    EXPECT_EQ(floats_of<float>(read(npy("'<f4'", "(2, 1)", data, version)).view()),
              (std::vector<float>{1, 2}))
        << int{version};
  const std::string second = npy("'<f4'", "(2, 1)", data, 2);
  for (std::size_t size = 0; size < second.size(); ++size)
    EXPECT_THROW(read(second.substr(0, size)), FormatError) << size;
  // A header of 4 GiB that is not there, and one above the limit that is.
  std::string large = second;
  large.replace(8, 4, "\xff\xff\xff\xff");
  EXPECT_THROW(read(large), FormatError);
  large.replace(8, 4, "\x00\x00\x01\x00"s);
  large.insert(12, 1 << 16, ' ');
  EXPECT_THROW(read(large), FormatError);
}

TEST_F(Trial13Npy, ALongIntegerOfPython2) {
  EXPECT_EQ(read(npy("'<f4'", "(1L, 2L)", std::string(8, '\0'))).shape,
            (std::vector<std::int64_t>{1, 2}));
}

TEST_F(Trial13Npy, WhatIsNoNumberIsNamed) {
  const auto refused = [&](const std::string& type, const std::string& meaning) {
    const std::string path = folder_.write("array.npy", npy(type, "(1,)", std::string(16, '\0')));
    EXPECT_EQ(test::error_of<FormatError>([&] { read_npy(path); }),
              "[npy] " + path + ": its elements are " + meaning +
                  "; save it again with numpy.save as an array of float32 or float64")
        << type;
  };
  refused("'<c16'", "complex numbers, '<c16'");
  refused("'<U4'", "text, '<U4'");
  refused("'|S16'", "text, '|S16'");
  refused("'|O'", "Python objects, '|O'");
  refused("'<M8[ns]'", "dates or times, '<M8[ns]'");
  refused("'|V16'", "raw bytes, '|V16'");
  refused("'<f16'", "floats of a size that only some machines have, '<f16'");
  refused("[('x', '<f4'), ('y', '<f4')]", "records of several fields");
}

TEST_F(Npy, OtherArraysAreRefused) {
  const auto replaced = [](std::string from, std::string to) {
    std::string text = numpy_f32;
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_THROW(read(replaced("<f4", "<c4")), FormatError);
  EXPECT_THROW(read(replaced("<f4", "<i3")), FormatError);
  EXPECT_THROW(read(replaced("False", "Maybe")), FormatError);
  EXPECT_THROW(read(replaced("(2, 3)", "(3, 3)")), FormatError);
  EXPECT_THROW(read(replaced("(2, 3)", "(2 ,3)")), FormatError);
  EXPECT_THROW(read(replaced("(2, 3)", "[2, 3]")), FormatError);
  EXPECT_THROW(read(replaced("(2, 3)", "(-2,3)")), FormatError);
  EXPECT_THROW(read(replaced("'shape'", "'shope'")), FormatError);
  EXPECT_THROW(read(replaced("NUMPY\x01", "NUMPY\x04")), FormatError);
  // 2^62 times 2^62 floats
  EXPECT_THROW(read(replaced("(2, 3), }" + std::string(34, ' '),
                             "(4611686018427387904, 4611686018427387904),")),
               FormatError);
}

}  // namespace
}  // namespace unroll::io
