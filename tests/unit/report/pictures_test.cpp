// The pictures of docs/images: small, well-formed, described for screen readers, light and dark.
#include <filesystem>

#include "core/file.h"
#include "unit/report/svg_elements.h"

namespace unroll::report {
namespace {

TEST(Pictures, OfTheDocsAreReadable) {
  int found = 0;
  const std::filesystem::path images = UNROLL_SOURCE_DIR "/docs/images";
  for (const auto& entry : std::filesystem::directory_iterator(images)) {
    if (entry.path().extension() != ".svg") continue;
    SCOPED_TRACE(entry.path().filename().string());
    ++found;
    const std::string svg = read_text("test", entry.path(), 100'000);  // the largest size, too
    const auto all = test::svg_elements(svg);
    EXPECT_EQ(all.front().attributes.at("role"), "img");
    for (const char* name : {"title", "desc"}) {
      const auto texts = test::chosen(all, name);
      ASSERT_EQ(texts.size(), 1u) << name;
      EXPECT_FALSE(texts.front().text.empty()) << name;
    }
    const auto styles = test::chosen(all, "style");
    ASSERT_EQ(styles.size(), 1u);
    EXPECT_NE(styles.front().text.find("prefers-color-scheme:"), std::string::npos);
    // Nothing comes from elsewhere, and nothing runs.
    for (const char* name : {"script", "image", "use", "a", "foreignObject"})
      EXPECT_TRUE(test::chosen(all, name).empty()) << name;
    EXPECT_EQ(svg.find("url("), std::string::npos);
  }
  EXPECT_GE(found, 20);
}

}  // namespace
}  // namespace unroll::report
