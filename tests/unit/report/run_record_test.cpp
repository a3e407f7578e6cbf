// Whatever a run's folder holds, reading it ends with the run or with an error of Unroll's.
#include "report/run_record.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "report/run_data.h"
#include "run/manifest.h"
#include "support/expect_error.h"
#include "support/program.h"
#include "support/temporary_folder.h"
#include "unroll/core/error.h"
#include "unroll/core/random.h"

namespace unroll::report {
namespace {

/// A copy of a run of an older program.
struct CopiedRun {
  test::TemporaryFolder folder;
  std::string path = folder / "run";

  explicit CopiedRun(const std::string& name) {
    std::filesystem::copy(UNROLL_SOURCE_DIR "/tests/slow/made_by_0.1.0/" + name, path,
                          std::filesystem::copy_options::recursive);
  }
  void write(const std::string& name, const std::string& content) const {
    folder.write("run/" + name, content);
  }
  std::string content(const std::string& name) const { return test::content_of(path + "/" + name); }
  /// Without its hash, as while the run is training; or with the hash of what is there now.
  void forget(const std::string& name) const {
    const Folder opened("test", path);
    auto manifest = run::Manifest::read(opened).value();
    manifest.status = run::RunStatus::training;
    manifest.files.erase(name);
    manifest.write(opened);
  }
  void seal(const std::string& name) const {
    const Folder opened("test", path);
    auto manifest = run::Manifest::read(opened).value();
    const std::string now = content(name);
    manifest.files[name] = {run::hash_of(std::as_bytes(std::span(now)))};
    manifest.write(opened);
  }
};

/// The data of the run's page, or the error.
std::string outcome(const std::string& path) {
  try {
    const RunRecord run = read_run(path);
    return data_of(run, model_of(run)).dump();
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(ReportOfDamage, AFileThatIsNotAsListedIsNamed) {
  for (const char* name : {"config.json", "metrics.jsonl", "model.safetensors"}) {
    const CopiedRun run("gru");
    std::string content = run.content(name);
    content[content.size() / 2] ^= 1;
    run.write(name, content);
    const std::string text = test::error_of<FormatError>([&] {
      const RunRecord record = read_run(run.path);
      model_of(record);
    });
    EXPECT_NE(text.find(std::string(name) + " is damaged or was changed"), text.npos) << text;
    std::filesystem::remove(run.path + "/" + name);
    EXPECT_NE(outcome(run.path).find(name), std::string::npos);
  }
}

TEST(ReportOfDamage, ALineOfTheMetricsThatIsNoneIsNamed) {
  for (const char* line :
       {"garbage", "{\"event\":\"step\"}", "{\"event\":\"step\",\"step\":1e400,\"loss\":1}",
        "{\"event\":\"step\",\"step\":-1,\"loss\":1,\"grad_norm\":1}",
        "{\"event\":\"step\",\"step\":1.5,\"loss\":1,\"grad_norm\":1}",
        "{\"event\":\"step\",\"step\":1,\"loss\":\"x\",\"grad_norm\":1}",
        "{\"event\":\"eval\",\"step\":1,\"loss\":1,\"inside\":3}", "[]", "\xff", "{\"event\":7}",
        "{\"event\":\"diverged\",\"step\":1,\"loss\":1,\"grad_norm\":1,\"kept\":1}"}) {
    const CopiedRun run("gru");
    run.forget("metrics.jsonl");
    run.write("metrics.jsonl", run.content("metrics.jsonl") + line + "\n");
    const std::string text = test::error_of<FormatError>([&] { read_run(run.path); });
    EXPECT_NE(text.find("metrics.jsonl, line 23: "), text.npos) << line << ": " << text;
  }
}

TEST(ReportOfDamage, LinesThatAreStrangeButReadable) {
  const CopiedRun run("gru");
  run.forget("metrics.jsonl");
  run.write("metrics.jsonl",
            "{\"event\":\"step\",\"step\":9223372036854775807,\"loss\":null,\"grad_norm\":1e308}\n"
            "{\"event\":\"step\",\"step\":1,\"loss\":1e308,\"grad_norm\":1e308}\n"
            "{\"event\":\"eval\",\"step\":1,\"loss\":null,\"accuracy\":1e300,\"correct\":1e300,"
            "\"total\":-5,\"</script>\":null}\n"
            "{\"event\":\"of the future\"}\n"
            "{\"event\":\"step\",\"st");  // being written
  const RunRecord record = read_run(run.path);
  EXPECT_EQ(record.log.steps.size(), 2u);
  const auto data = data_of(record, model_of(record));
  EXPECT_EQ(data.at("runs").at(0).at("curves").at("loss"),
            nlohmann::ordered_json::parse("[null, 1e308]"));
}

TEST(ReportOfDamage, NoByteOfAFileLeadsToACrash) {
  Generator random(5);
  for (const char* name : {"config.json", "metrics.jsonl", "manifest.json", "model.safetensors"}) {
    const CopiedRun run("adding");
    const std::string whole = run.content(name);
    const std::string sound = outcome(run.path);
    for (int i = 0; i < 150; ++i) {
      std::string damaged = whole;
      const auto at = static_cast<std::size_t>(random.next_u32()) % damaged.size();
      switch (i % 3) {
        case 0:
          damaged[at] = static_cast<char>(random.next_u32());
          break;
        case 1:
          damaged.resize(at);
          break;
        default:
          damaged.insert(at, 1, "0\"{}[],-e\n"[random.next_u32() % 10]);
      }
      run.write(name, damaged);
      if (name != std::string("manifest.json") && i % 2 == 0) run.seal(name);
      EXPECT_FALSE(outcome(run.path).empty());
      run.write(name, whole);
      if (name != std::string("manifest.json")) run.seal(name);
    }
    EXPECT_EQ(outcome(run.path), sound) << name;
  }
}

}  // namespace
}  // namespace unroll::report
