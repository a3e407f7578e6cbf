// fuzz_tests TARGET FOLDER: every file of the folder through the target, in an ordinary build.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "target.h"

namespace {

using namespace unroll;

struct Target {
  std::string_view name;
  void (*run)(fuzz::Bytes);
};

#define UNROLL_TARGET(name) {#name, fuzz::name},
constexpr Target targets[] = {UNROLL_FUZZ_TARGETS(UNROLL_TARGET)};
#undef UNROLL_TARGET

std::vector<std::uint8_t> content_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  fuzz::require(stream.good(), "a file of the corpus can be read");
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

int main(int count, char** arguments) {
  const auto* target = std::ranges::find(targets, count > 1 ? arguments[1] : "", &Target::name);
  if (count != 3 || target == std::end(targets)) {
    std::fputs("usage: fuzz_tests TARGET FOLDER\n", stderr);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[2]))
    files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files) {
    std::fprintf(stderr, "%s\n", file.c_str());  // the last one named is the one that failed
    fuzz::run_within_budget(target->run, content_of(file));
  }
  std::printf("%s: %zu files\n", arguments[1], files.size());
  return files.empty() ? 1 : 0;
}
