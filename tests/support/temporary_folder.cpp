#include "support/temporary_folder.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace unroll::test {

TemporaryFolder::TemporaryFolder()
    : path_(std::filesystem::temp_directory_path() / "unroll-test-XXXXXX") {
  if (!::mkdtemp(path_.data())) throw std::runtime_error("can't make a temporary folder");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& content) const {
  const std::filesystem::path file = *this / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream stream(file, std::ios::binary);
  stream << content;
  if (!stream.flush()) throw std::runtime_error("can't write " + file.string());
  return file;
}

}  // namespace unroll::test
