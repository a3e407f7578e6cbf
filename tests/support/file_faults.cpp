#include "support/file_faults.h"

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "core/file.h"

namespace unroll::test {
namespace {

FileFaults::Plan current;
std::vector<std::string> made;

int fault(std::string_view call, std::size_t& bytes) {
  const std::size_t number = made.size();
  made.emplace_back(call);
  bytes = std::min(bytes, current.most_bytes);
  if (number != current.at) return 0;
  if (current.kill) ::raise(SIGKILL);
  return current.error;
}

}  // namespace

FileFaults::FileFaults(const Plan& plan) {
  current = plan;
  made.clear();
  file_fault = fault;
}

FileFaults::~FileFaults() { file_fault = nullptr; }

const std::vector<std::string>& FileFaults::calls() const { return made; }

std::set<std::string> files_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.insert(entry.path().filename());
  return names;
}

}  // namespace unroll::test
