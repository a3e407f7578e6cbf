// Short runs of the program on the small set.
#pragma once

#include <string>
#include <vector>

#include "support/program.h"
#include "support/small_set.h"
#include "support/temporary_folder.h"

namespace unroll::test {

/// A machine that has the small set under the name of MNIST, and nothing else.
struct SmallRun {
  TemporaryFolder folder;
  std::string data_dir = folder / "data";
  std::string mnist = write_small_set(folder, "data/mnist");

  /// unroll train mnist MORE, into folder/OUT.
  ProgramResult train(const std::string& out, const std::vector<std::string>& more,
                      const ProgramOptions& options = {}) const {
    return run_program(train_arguments(out, more), options);
  }

  std::vector<std::string> train_arguments(const std::string& out,
                                           const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"train",  "mnist", "--data-dir",
                                          data_dir, "--out", folder / out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  std::string model(const std::string& out) const {
    return content_of(folder / (out + "/model.safetensors"));
  }
  std::string metrics(const std::string& out) const {
    return content_of(folder / (out + "/metrics.jsonl"));
  }
};

}  // namespace unroll::test
