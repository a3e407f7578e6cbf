#include "unroll/io/npy.h"

#include <gtest/gtest.h>

#include "core/file.h"
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

TEST_F(Npy, OtherArraysAreRefused) {
  const auto replaced = [](std::string from, std::string to) {
    std::string text = numpy_f32;
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_THROW(read(replaced("<f4", ">f4")), FormatError);
  EXPECT_THROW(read(replaced("<f4", "<i4")), FormatError);
  EXPECT_THROW(read(replaced("False", "Maybe")), FormatError);
  EXPECT_THROW(read(replaced("(2, 3)", "(3, 3)")), FormatError);
  EXPECT_THROW(read(replaced("(2, 3)", "(2 ,3)")), FormatError);
  EXPECT_THROW(read(replaced("(2, 3)", "[2, 3]")), FormatError);
  EXPECT_THROW(read(replaced("(2, 3)", "(-2,3)")), FormatError);
  EXPECT_THROW(read(replaced("'shape'", "'shope'")), FormatError);
  EXPECT_THROW(read(replaced("NUMPY\x01", "NUMPY\x02")), FormatError);
  // 2^62 times 2^62 floats
  EXPECT_THROW(read(replaced("(2, 3), }" + std::string(34, ' '),
                             "(4611686018427387904, 4611686018427387904),")),
               FormatError);
}

}  // namespace
}  // namespace unroll::io
