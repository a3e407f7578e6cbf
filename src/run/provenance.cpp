#include "run/provenance.h"

#include <fmt/format.h>

#include "core/numerics.h"
#include "core/shell_word.h"

namespace unroll::run {

train::Provenance provenance_of(const data::Source& source,
                                const std::optional<InitialModel>& initial) {
  train::Provenance now = {source.sha256(data::Split::train), source.sha256(data::Split::test),
                           numerics::revision};
  now.validation_sha256 = source.sha256(data::Split::validation);
  now.facts = source.facts();
  if (initial) now.init_sha256 = initial->sha256;
  const spec::InputSpec input = source.input();
  if (spec::pixels_of(input)) now.classes = source.target().size;
  return now;
}

std::vector<std::string> differences(const train::Provenance& then, const train::Provenance& now) {
  std::vector<std::string> all;
  const auto compare = [&](const char* which, const std::string& a, const std::string& b) {
    if (a != b) all.push_back(fmt::format("the {} data differs (it has another SHA-256)", which));
  };
  compare("training", then.train_sha256, now.train_sha256);
  compare("validation", then.validation_sha256, now.validation_sha256);
  compare("test", then.test_sha256, now.test_sha256);
  if (then.init_sha256 != now.init_sha256)
    all.push_back("the model of --init-from differs (it has another SHA-256)");
  return all;
}

std::string other_revision(const train::Provenance& then, const std::string& path) {
  if (then.numerics_revision == numerics::revision) return {};
  const bool older = then.numerics_revision < numerics::revision;
  return fmt::format(
      "the run was made with {} revision of the numerics ({}) than this program has ({}), which "
      "would compute other bits; {}, or start a new run: unroll train --config {}",
      older ? "an older" : "a newer", then.numerics_revision, numerics::revision,
      older ? "use the program that made it (unroll --version names its revision)"
            : "update this program",
      shell_word(path + "/config.json"));
}

}  // namespace unroll::run
