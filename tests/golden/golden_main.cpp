// Runs the reference cases of a folder: one test per file, named after it.
//
//   golden_tests [FOLDER] [gtest's options]
//
// Without a folder: the one that UNROLL_REFERENCE_DIR names, or else ../shared/reference beside the
// source tree; exit status 77 (skipped) where there is neither.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

#include "golden/golden_case.h"

namespace unroll::golden {
namespace {

namespace fs = std::filesystem;

constexpr int exit_skipped = 77;

const std::map<std::string, Handler, std::less<>> handlers = {
    {"clip", run_clip_case},
    {"layers", run_layers_case},
    {"losses", run_losses_case},
    {"optim", run_optim_case},
    {"regularised", run_regularised_case},
    {"rng", run_rng_case},
    {"schedule", run_schedule_case},
    {"tutorial", run_tutorial_case},
};

struct Tally {
  int run = 0;
  int skipped = 0;  // MNIST is not here
  std::vector<std::string> not_supported;
};

class GoldenTest : public ::testing::Test {
 public:
  GoldenTest(std::shared_ptr<const GoldenCase> golden_case, Tally& tally)
      : case_(std::move(golden_case)), tally_(tally) {}

  void TestBody() override {
    const auto handler = handlers.find(case_->description.at("set").get<std::string>());
    const Outcome outcome =
        handler == handlers.end() ? Outcome::not_supported : handler->second(*case_);
    if (outcome == Outcome::not_supported) {
      tally_.not_supported.push_back(case_->name);
      GTEST_SKIP() << "not supported yet";
    }
    if (outcome == Outcome::lacks_data) {
      ++tally_.skipped;
      GTEST_SKIP() << "MNIST is not here";
    }
    ++tally_.run;
  }

 private:
  std::shared_ptr<const GoldenCase> case_;
  Tally& tally_;
};

/// The folder's cases in the order of their names. A file without a case (bare weights) is none.
std::vector<std::shared_ptr<const GoldenCase>> read_cases(const fs::path& folder) {
  std::vector<std::shared_ptr<const GoldenCase>> cases;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    auto file = io::Safetensors::read(entry.path().string());
    const auto description = file.metadata().find("case");
    if (description == file.metadata().end()) continue;
    auto json = nlohmann::json::parse(description->second);
    cases.push_back(std::make_shared<GoldenCase>(
        GoldenCase{entry.path().lexically_relative(folder).replace_extension().string(),
                   std::move(json), std::move(file)}));
  }
  std::sort(cases.begin(), cases.end(),
            [](const auto& a, const auto& b) { return a->name < b->name; });
  return cases;
}

/// Empty where there is nothing to run; a folder that was named is not looked at here.
std::optional<fs::path> folder_to_run(int argc, char** argv) {
  if (argc > 2) throw std::runtime_error(fmt::format("{}: one folder expected", argv[2]));
  if (argc == 2) return argv[1];
  if (const char* named = std::getenv("UNROLL_REFERENCE_DIR")) return named;
  const fs::path beside = fs::path(UNROLL_SOURCE_DIR) / ".." / "shared" / "reference";
  if (fs::is_directory(beside)) return beside;
  return std::nullopt;
}

int run(int argc, char** argv) {
  const auto folder = folder_to_run(argc, argv);
  if (!folder) {
    fmt::print(
        "golden: skipped, no reference cases here; name their folder in "
        "UNROLL_REFERENCE_DIR\n");
    return exit_skipped;
  }
  if (!fs::is_directory(*folder))
    throw std::runtime_error(fmt::format("{} is not a folder", folder->string()));
  const auto cases = read_cases(*folder);
  if (cases.empty())
    throw std::runtime_error(fmt::format("{} holds no reference case", folder->string()));

  Tally tally;
  for (const auto& c : cases)
    ::testing::RegisterTest("Golden", c->name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [c, &tally]() -> GoldenTest* { return new GoldenTest(c, tally); });
  const int status = RUN_ALL_TESTS();
  for (const std::string& name : tally.not_supported) fmt::print("not supported yet: {}\n", name);
  if (tally.skipped > 0)
    fmt::print("golden: {} skipped, MNIST is not here; name its folder in UNROLL_DATA_DIR\n",
               tally.skipped);
  fmt::print("golden: {} run, {} not supported\n", tally.run, tally.not_supported.size());
  return status;
}

}  // namespace

const io::ArrayView& GoldenCase::tensor(std::string_view tensor_name) const {
  const io::ArrayView* found = file.find(tensor_name);
  if (!found) throw std::runtime_error(fmt::format("{} has no tensor {}", name, tensor_name));
  return *found;
}

std::vector<double> GoldenCase::values(std::string_view tensor_name) const {
  return test::values_of(tensor(tensor_name));
}

double GoldenCase::tolerance() const {
  const auto type = description.at("dtype").get<std::string>();
  if (type == "f64") return test::tolerance_f64;
  if (type == "f32") return test::tolerance_f32;
  throw std::runtime_error(fmt::format("{} has the unknown dtype {}", name, type));
}

bool GoldenCase::has_only(const std::vector<std::string>& known) const {
  return std::ranges::all_of(description.items(), [&](const auto& option) {
    return std::ranges::find(known, option.key()) != known.end();
  });
}

}  // namespace unroll::golden

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  try {
    return unroll::golden::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "golden: {}\n", error.what());
    return 1;
  }
}
