#include "run/provenance.h"

#include <fmt/format.h>

#include "core/numerics.h"

namespace unroll::run {

train::Provenance provenance_of(const data::Source& source) {
  train::Provenance now = {source.sha256(data::Split::train), source.sha256(data::Split::test),
                           numerics::revision};
  const data::TargetSpec target = source.target();
  if (target.kind == data::TargetSpec::Kind::classes) now.classes = target.size;
  return now;
}

std::vector<std::string> differences(const train::Provenance& then, const train::Provenance& now) {
  std::vector<std::string> all;
  const auto compare = [&](const char* which, const std::string& a, const std::string& b) {
    if (a != b) all.push_back(fmt::format("the {} data differs (it has another SHA-256)", which));
  };
  compare("training", then.train_sha256, now.train_sha256);
  compare("test", then.test_sha256, now.test_sha256);
  if (then.numerics_revision != now.numerics_revision)
    all.push_back(fmt::format("the run has numerics revision {}, this program {}",
                              then.numerics_revision, now.numerics_revision));
  return all;
}

}  // namespace unroll::run
