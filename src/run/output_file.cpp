#include "run/output_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "run/manifest.h"
#include "run/run_folder.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

namespace fs = std::filesystem;

/// Whether the file belongs to a run. False if the folder's manifest.json is another program's.
bool is_of_a_run(const fs::path& file) {
  try {
    const auto manifest = Manifest::read(Folder("output", file.parent_path()));
    const std::string name = file.filename();
    return manifest && (is_name_of_a_run(name) || manifest->lists(name));
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

void check_output(const std::string& path, std::initializer_list<std::string> inputs) {
  if (path == "-")
    throw ValueError(
        "output", "results are written to a file, not stdout; name a file (./- for one called -)");
  std::error_code error;
  for (const std::string& input : inputs)
    if (fs::equivalent(path, input, error) && !error)
      throw ValueError("output",
                       fmt::format("{} is an input of this command, and would be overwritten; name "
                                   "another file",
                                   path));
  const fs::path file = fs::weakly_canonical(fs::absolute(path, error), error);  // follow links
  if (!error && is_of_a_run(file))
    throw ValueError("output",
                     fmt::format("{} is a file of the run in {}, and overwriting it would damage "
                                 "the run; name another file",
                                 path, file.parent_path().string()));
}

}  // namespace unroll::run
