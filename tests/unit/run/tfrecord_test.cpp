#include "run/tfrecord.h"

#include <gtest/gtest.h>

#include "support/program.h"
#include "support/temporary_folder.h"

namespace unroll::run {
namespace {

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// By TensorBoard 2.21:
//   out = io.BytesIO(); w = tensorboard.summary.writer.record_writer.RecordWriter(out)
//   w.write(b"123456789"); w.write(b""); print(out.getvalue().hex())
const std::string known_digits = bytes_of_hex("090000000000000037f97139313233343536373839e5b08ac7");
const std::string known_empty = bytes_of_hex("000000000000000029039807d8ea82a2");

std::uint32_t checksum_at_end(const std::string& record) {
  std::uint32_t masked = 0;
  for (std::size_t i = 1; i <= 4; ++i)
    masked = masked << 8 | static_cast<unsigned char>(record[record.size() - i]);
  return masked;
}

TEST(TfRecord, IsTensorBoards) {
  EXPECT_EQ(tfrecord("123456789"), known_digits);
  EXPECT_EQ(tfrecord(""), known_empty);
}

// RFC 3720, appendix B.4, and the check value of CRC-32C in the catalogue of CRCs.
TEST(TfRecord, HasTheCrc32cOfTheStandard) {
  const auto masked = [](std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8U; };
  std::string counting;
  for (char c = 0; c < 32; ++c) counting += c;
  EXPECT_EQ(checksum_at_end(tfrecord("123456789")), masked(0xe3069283));
  EXPECT_EQ(checksum_at_end(tfrecord(std::string(32, '\0'))), masked(0x8a9136aa));
  EXPECT_EQ(checksum_at_end(tfrecord(std::string(32, '\xff'))), masked(0x62a8ab43));
  EXPECT_EQ(checksum_at_end(tfrecord(counting)), masked(0x46dd794e));
}

std::optional<std::uint64_t> size_in(const std::string& content, std::uint64_t count) {
  const test::TemporaryFolder folder;
  return size_of_records(InputFile("test", folder.write("file", content)), count);
}

TEST(TfRecord, CountsRecords) {
  const std::string long_one = tfrecord(std::string(200'000, 'x'));
  const std::string all = known_digits + long_one + known_empty;
  EXPECT_EQ(size_in(all, 0), 0u);
  EXPECT_EQ(size_in(all, 1), known_digits.size());
  EXPECT_EQ(size_in(all, 2), known_digits.size() + long_one.size());
  EXPECT_EQ(size_in(all, 3), all.size());
  EXPECT_EQ(size_in(all, 4), std::nullopt);
  EXPECT_EQ(size_in("", 1), std::nullopt);
}

TEST(TfRecord, FindsEveryDamage) {
  for (std::size_t bit = 0; bit < 8 * known_digits.size(); ++bit) {
    std::string damaged = known_digits + known_empty;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(size_in(damaged, 1), std::nullopt) << bit;
  }
  for (std::size_t size = 0; size < known_digits.size(); ++size)
    EXPECT_EQ(size_in(known_digits.substr(0, size), 1), std::nullopt) << size;
}

}  // namespace
}  // namespace unroll::run
