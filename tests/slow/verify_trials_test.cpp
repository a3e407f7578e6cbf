// What `unroll verify` says of a run whose manifest agrees with files that training does not give.
#include <gtest/gtest.h>

#include <span>

#include "run/manifest.h"
#include "support/small_run.h"

namespace unroll {
namespace {

using Texts = std::vector<std::string>;

struct VerifiedTrial : test::SmallRun {
  std::string run = folder / "run";

  VerifiedTrial() {
    EXPECT_EQ(train("run", {"--steps", "20", "--hidden", "5", "--save-at", "7,20",
                            "--checkpoint-every", "8"})
                  .code,
              0);
  }

  void expect(int code, const Texts& parts) const {
    const auto result = test::run_program({"verify", run, "--data-dir", data_dir});
    EXPECT_EQ(result.code, code) << result.out << result.err;
    for (const std::string& part : parts)
      EXPECT_NE((result.out + result.err).find(part), std::string::npos)
          << part << " in\n"
          << result.out << result.err;
  }

  /// Writes a file of the run and a manifest that agrees with it: what a forger does.
  void forge(const std::string& name, const std::string& content) const {
    folder.write("run/" + name, content);
    change([&](run::Manifest& manifest) {
      manifest.files[name] = {run::hash_of(std::as_bytes(std::span(content)))};
    });
  }
  template <class F>
  void change(F&& how) const {
    const Folder opened("test", run);
    auto manifest = run::Manifest::read(opened).value();
    how(manifest);
    manifest.write(opened);
  }
  std::string content(const std::string& name) const { return test::content_of(run + "/" + name); }
};

TEST(Trial19, VerifyTrainsStepFilesAndCheckpointsAgain) {
  const VerifiedTrial run;
  run.expect(0, {"8 files are as they were written",
                 "checkpoints and files of single steps with the same bits: 4",
                 "model.safetensors has the same bits"});
  for (const std::string name : {"step_7.safetensors", "step_20.safetensors",
                                 "checkpoint_8.safetensors", "checkpoint_16.safetensors"}) {
    const std::string whole = run.content(name);
    std::string other = whole;
    other[other.size() - 2] ^= 1;
    run.forge(name, other);
    run.expect(1, {"8 files are as they were written", name + " has different bits",
                   "model.safetensors has the same bits"});
    // The metadata alone.
    other = whole;
    const auto at = other.find("linear");
    ASSERT_NE(at, std::string::npos);
    other.replace(at, 6, "Linear");
    run.forge(name, other);
    run.expect(1, {name + " has different bits: its metadata"});
    run.forge(name, whole);
  }
  run.forge("step_7.safetensors", run.content("model.safetensors"));
  run.expect(1, {"step_7.safetensors has different bits: ", "in the file, "});
}

TEST(Trial19, AnEndedRunListsAllOfItsFiles) {
  const VerifiedTrial run;
  const std::string manifest = run.content("manifest.json");
  for (const std::string name :
       {"metrics.jsonl", "model.safetensors", "config.json", "step_7.safetensors"}) {
    run.change([&](run::Manifest& m) { m.files.erase(name); });
    run.expect(1, {name + " is not listed in manifest.json"});
    run.folder.write("run/manifest.json", manifest);
  }
  // Taken off the list, and doctored.
  std::string metrics = run.content("metrics.jsonl");
  const std::string key = "\"correct\":";
  metrics.insert(metrics.find(key) + key.size(), "9");
  run.folder.write("run/metrics.jsonl", metrics);
  run.change([](run::Manifest& m) { m.files.erase("metrics.jsonl"); });
  run.expect(1, {"metrics.jsonl is not listed", "metrics.jsonl has other values"});
}

TEST(Trial19, AFileThatTrainingDoesNotGiveIsNoFileOfTheRun) {
  const VerifiedTrial run;
  run.forge("step_9.safetensors", run.content("step_7.safetensors"));
  run.expect(1, {"step_9.safetensors is listed in manifest.json, but training does not write it"});
}

TEST(Trial19, TheMetadataOfTheModelIsCompared) {
  const VerifiedTrial run;
  std::string model = run.content("model.safetensors");
  const std::string key = "\"numerics_revision\":\"";
  model[model.find(key) + key.size()] ^= 1;
  run.forge("model.safetensors", model);
  run.expect(1, {"model.safetensors has different bits: its metadata differs under "
                 "\"numerics_revision\""});
}

}  // namespace
}  // namespace unroll
