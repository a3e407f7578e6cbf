#include "run/manifest.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/program.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

using test::error_of;
using test::TemporaryFolder;

FileHash hash_of_text(const std::string& text) { return hash_of(std::as_bytes(std::span(text))); }

std::optional<Manifest> read(const TemporaryFolder& folder) {
  return Manifest::read(Folder("test", folder.path()));
}

Manifest make_manifest() {
  Manifest m;
  m.status = RunStatus::finished;
  m.step = 7;
  m.files["a"] = {hash_of_text("content")};
  m.files["b"] = {hash_of_text("old"), hash_of_text("new one")};
  return m;
}

TEST(Manifest, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  EXPECT_FALSE(read(folder));
  make_manifest().write(Folder("test", folder.path()));
  const auto m = read(folder);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->status, RunStatus::finished);
  EXPECT_EQ(m->step, 7);
  EXPECT_EQ(m->files, make_manifest().files);
  // printf content | sha256sum
  EXPECT_EQ(m->files.at("a")[0],
            (FileHash{7, "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"}));
}

TEST(Fault27, AnyBitOfAManifest) {
  const TemporaryFolder folder;
  make_manifest().write(Folder("test", folder.path()));
  const std::string text = test::content_of(folder / "manifest.json");
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
      folder.write("manifest.json", flipped);
      const std::string error = error_of<FormatError>([&] { read(folder); });
      ASSERT_NE(error.find("manifest.json is damaged"), std::string::npos)
          << error << "\nbyte " << i << " bit " << bit;
    }
}

TEST(Fault26, AManifestCutAnywhere) {
  const TemporaryFolder folder;
  make_manifest().write(Folder("test", folder.path()));
  const std::string text = test::content_of(folder / "manifest.json");
  for (std::size_t size = 0; size < text.size(); ++size) {
    folder.write("manifest.json", text.substr(0, size));
    EXPECT_THROW(read(folder), FormatError) << size;
  }
}

TEST(Fault27, AnyBitOfAListedFile) {
  const TemporaryFolder folder;
  const Manifest m = make_manifest();
  const std::string path = folder.write("a", "content");
  EXPECT_EQ(m.load(Folder("test", folder.path()), "a").size(), 7u);
  for (std::size_t i = 0; i < 7; ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = "content";
      flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
      folder.write("a", flipped);
      const std::string error =
          error_of<FormatError>([&] { m.load(Folder("test", folder.path()), "a"); });
      EXPECT_NE(error.find(path + " is damaged or was changed: its SHA-256"), std::string::npos)
          << error;
      EXPECT_FALSE(m.is_intact(Folder("test", folder.path()), "a"));
    }
}

TEST(Manifest, WhileAFileIsReplacedBothContentsAreRight) {
  const TemporaryFolder folder;
  const Manifest m = make_manifest();
  EXPECT_FALSE(m.is_intact(Folder("test", folder.path()), "b"));  // missing
  folder.write("b", "old");
  EXPECT_TRUE(m.is_intact(Folder("test", folder.path()), "b"));
  folder.write("b", "new one");
  EXPECT_TRUE(m.is_intact(Folder("test", folder.path()), "b"));
  folder.write("b", "new");
  EXPECT_FALSE(m.is_intact(Folder("test", folder.path()), "b"));
  folder.write("b", "longer than both");
  const std::string error =
      error_of<FormatError>([&] { m.load(Folder("test", folder.path()), "b"); });
  EXPECT_NE(error.find("16 bytes"), std::string::npos) << error;
}

TEST(Manifest, NamesOfOtherFoldersAreRefused) {
  for (const char* name : {"../a", "/etc/passwd", "..", "a\nb", ""}) {
    const TemporaryFolder folder;
    Manifest m;
    m.files[name] = {hash_of_text("x")};
    m.write(Folder("test", folder.path()));
    EXPECT_THROW(read(folder), FormatError) << name;
  }
}

}  // namespace
}  // namespace unroll::run
