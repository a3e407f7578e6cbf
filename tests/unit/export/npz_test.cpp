#include "export/npz.h"

#include <gtest/gtest.h>
#include <zip.h>

#include "io/npy_start.h"
#include "support/expect_error.h"
#include "support/specs.h"
#include "support/temporary_folder.h"
#include "unit/export/weights.h"
#include "unroll/core/error.h"
#include "unroll/io/npy.h"

namespace unroll::exporter {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Entry {
  std::string name, content;
  zip_stat_t status;
};

/// Reads the entries with libzip, which checks each CRC-32.
std::vector<Entry> entries_of(const std::string& path) {
  int error = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &error);
  if (!archive) throw std::runtime_error("not an archive");
  std::vector<Entry> entries;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(zip_get_num_entries(archive, 0)); ++i) {
    Entry entry;
    zip_stat_index(archive, i, 0, &entry.status);
    entry.name = entry.status.name;
    entry.content.resize(entry.status.size);
    zip_file_t* const file = zip_fopen_index(archive, i, 0);
    EXPECT_EQ(zip_fread(file, entry.content.data(), entry.content.size()),
              static_cast<zip_int64_t>(entry.content.size()));
    zip_fclose(file);
    entries.push_back(entry);
  }
  zip_discard(archive);
  return entries;
}

TEST(Npz, HoldsEveryWeightAndTheDescription) {
  const spec::ModelSpec spec = test::rnn_spec(2, 3, 1);
  const test::CountedWeights weights(spec);
  const test::TemporaryFolder folder;
  const auto entries = entries_of(folder.write("model.npz", text_of(npz(spec, weights.views()))));
  ASSERT_EQ(entries.size(), weights.views().size() + 1);
  for (std::size_t i = 0; i < weights.views().size(); ++i) {
    const io::ArrayView& expected = weights.views()[i];
    EXPECT_EQ(entries[i].name, expected.name + ".npy");
    EXPECT_EQ(entries[i].status.comp_method, ZIP_CM_STORE);
    const io::NpyArray array = io::read_npy(folder.write("weight.npy", entries[i].content));
    EXPECT_EQ(array.shape, expected.shape);
    EXPECT_EQ(text_of(array.data), text_of(expected.data));
  }
  EXPECT_EQ(entries.back().name, "description.json");
  EXPECT_EQ(spec::from_json(entries.back().content), spec);
}

// f16 1.5 is 0x3e00, bf16 1.5 is 0x3fc0.
TEST(Npz, HalfPrecisionIsWidenedAndF64Kept) {
  spec::ModelSpec spec;
  spec.input = spec::VectorInput{.features = 1};
  spec.layers = {spec::LinearSpec{"fc", 1, 1, false}};
  const auto content = [&](io::ElementType type, std::string_view bytes) {
    const io::ArrayView view{"fc.weight", type, {1, 1}, std::as_bytes(std::span(bytes))};
    const test::TemporaryFolder folder;
    return entries_of(folder.write("model.npz", text_of(npz(spec, std::span(&view, 1)))))[0]
        .content;
  };
  const std::string f32 = io::npy_start("", {1, 1}, io::ElementType::f32) +
                          std::string("\x00\x00\xc0\x3f", 4),
                    f64 = io::npy_start("", {1, 1}, io::ElementType::f64) +
                          std::string("\x00\x00\x00\x00\x00\x00\xf8\x3f", 8);
  EXPECT_EQ(content(io::ElementType::f16, {"\x00\x3e", 2}), f32);
  EXPECT_EQ(content(io::ElementType::bf16, {"\xc0\x3f", 2}), f32);
  EXPECT_EQ(content(io::ElementType::f64, {"\x00\x00\x00\x00\x00\x00\xf8\x3f", 8}), f64);
}

// Bytes 10 to 13 of a zip are the time and date of its first entry: MS-DOS counts from 1980.
TEST(Npz, NothingInItSaysWhenItWasMade) {
  const spec::ModelSpec spec = test::rnn_spec(2, 3, 1);
  const std::string bytes = text_of(npz(spec, test::CountedWeights(spec).views()));
  EXPECT_EQ(bytes.substr(0, 4), "PK\x03\x04");
  EXPECT_EQ(bytes.substr(10, 4), std::string("\x00\x00\x21\x00", 4));  // 0:00, 1980-01-01
}

TEST(Npz, NamesThatLeadToAnotherFolderAreRefused) {
  spec::ModelSpec spec = test::rnn_spec(2, 3, 1);
  std::get<spec::LinearSpec>(spec.layers[1]).name = "../../fc";
  const test::CountedWeights weights(spec);
  const std::string error = test::error_of<ValueError>([&] { npz(spec, weights.views()); });
  EXPECT_NE(error.find("../../fc.weight"), std::string::npos) << error;
  EXPECT_NE(error.find("slash"), std::string::npos) << error;
}

}  // namespace
}  // namespace unroll::exporter
