#include "run/file_comparison.h"

#include <fmt/format.h>

#include "core/file.h"
#include "run/file_difference.h"
#include "run/file_names.h"
#include "unroll/core/error.h"

namespace unroll::run {

bool FileComparison::compare(const std::string& name, std::vector<std::byte> again) {
  compared_.insert(name);
  try {
    const InputFile file("verify", folder_, name);
    std::string difference = "its size differs";
    // A much longer file is certainly different. It is not read.
    if (file.size() < 2 * again.size() + (1 << 20)) {
      std::vector<std::byte> there(file.size());
      file.read_at(0, there);
      difference = first_difference(std::move(there), std::move(again));
    }
    if (difference.empty()) return true;
    found_({fmt::format("{} has different bits: {}", name, difference)});
  } catch (const Error& error) {
    found_({fmt::format("{} can't be compared: {}", name, error.what())});
  }
  return false;
}

void FileComparison::compare_step(const std::string& name, std::vector<std::byte> again) {
  if (!lists(name))
    found_({fmt::format("{} is not listed in manifest.json", name)});
  else if (compare(name, std::move(again)))
    ++same_steps_;
}

void FileComparison::finish_steps() {
  for (const auto& [name, hashes] : manifest_.files)
    if (!compared_.contains(name) && name != config_file && name != metrics_file &&
        name != events_file && name != model_file)
      found_({fmt::format("{} is listed in manifest.json, but training does not write it", name)});
  if (same_steps_ > 0)
    found_(
        {fmt::format("checkpoints and files of single steps with the same bits: {}", same_steps_),
         true});
}

}  // namespace unroll::run
