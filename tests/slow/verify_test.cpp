// What `unroll verify` says of runs whose files or manifests are not what they were.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <span>

#include "run/manifest.h"
#include "support/file_faults.h"
#include "support/small_run.h"

namespace unroll {
namespace {

struct Verified : test::SmallRun {
  std::string run = folder / "run";

  explicit Verified(const std::vector<std::string>& flags = {"--steps", "20", "--hidden", "5",
                                                             "--eval-every", "10"},
                    int code = 0) {
    EXPECT_EQ(train("run", flags).code, code);
  }

  test::ProgramResult verify(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"verify", run, "--data-dir", data_dir});
    return test::run_program(more);
  }

  void expect(int code, const std::vector<std::string>& parts, bool trained,
              const std::vector<std::string>& more = {}) const {
    const auto result = verify(more);
    EXPECT_EQ(result.code, code) << result.out << result.err;
    for (const std::string& part : parts)
      EXPECT_NE((result.out + result.err).find(part), std::string::npos)
          << part << " in\n"
          << result.out << result.err;
    const auto said = [&](const char* what) { return result.out.find(what) != std::string::npos; };
    EXPECT_EQ(said("trained again") && !said("not trained again"), trained) << result.out;
  }

  /// Another manifest, whose own hash is right.
  template <class F>
  void seal_again(F&& change) const {
    const Folder opened("test", run);
    auto manifest = run::Manifest::read(opened).value();
    change(manifest);
    manifest.write(opened);
  }
};

TEST(Verify, SaysThatTheBitsAreTheSame) {
  const Verified verified({"--steps", "20", "--dropout", "0.1", "--layers", "2"});
  const auto before = test::files_in(verified.run);
  verified.expect(
      0, {"4 files are as they were written", "trained again", "20 steps", "the same bits"}, true,
      {"--threads", "2", "--rows-at-once", "16"});
  EXPECT_EQ(test::files_in(verified.run), before);
}

TEST(Verify, NamesATamperedWeight) {
  const Verified verified;
  std::string model = verified.model("run");
  model[model.size() - 4] ^= 1;  // of the last tensor's last element
  verified.folder.write("run/model.safetensors", model);
  verified.expect(1,
                  {"model.safetensors is not as it was written",
                   "model.safetensors has different bits: fc.bias[9] is ", " in the file, ",
                   " when trained again"},
                  true);
  // Also where whoever did it knew how to make a manifest.
  verified.seal_again([&](run::Manifest& manifest) {
    manifest.files["model.safetensors"] = {run::hash_of(std::as_bytes(std::span(model)))};
  });
  EXPECT_EQ(test::run_program({"inspect", verified.run}).code, 0);
  verified.expect(1, {"4 files are as they were written", "fc.bias[9] is "}, true);
}

TEST(Verify, NamesOtherData) {
  const Verified verified;
  std::string images = test::content_of(verified.mnist + "/t10k-images-idx3-ubyte");
  images.back() ^= 1;
  verified.folder.write("data/mnist/t10k-images-idx3-ubyte", images);
  verified.expect(1, {"the test data differs"}, false);
}

TEST(Verify, NamesAnotherRevision) {
  const Verified verified;
  const std::string whole = test::content_of(verified.run + "/config.json");
  const auto write_revision = [&](const char* revision) {
    std::string config = whole;
    const std::string key = "\"numerics_revision\": ";
    config.replace(config.find(key) + key.size(), 1, revision);
    verified.folder.write("run/config.json", config);
    return run::hash_of(std::as_bytes(std::span(config)));
  };
  write_revision("1");
  verified.expect(1, {"config.json is not as it was written"}, false);
  const auto expect = [&](const char* revision, const std::vector<std::string>& parts) {
    const run::FileHash hash = write_revision(revision);
    verified.seal_again([&](run::Manifest& manifest) { manifest.files["config.json"] = {hash}; });
    verified.expect(1, parts, false);
  };
  expect("1",
         {"not trained again: the run was made with an older revision of the numerics (1) than "
          "this program has (",
          "use the program that made it", "unroll train --config " + verified.run});
  expect("999", {"not trained again: the run was made with a newer revision of the numerics (999)",
                 "update this program"});
}

TEST(Verify, AMissingModelIsSaidBeforeAnyTraining) {
  const Verified verified;
  std::filesystem::remove(verified.run + "/model.safetensors");
  verified.expect(1, {"model.safetensors is missing"}, false);
  std::filesystem::create_directory(verified.run + "/model.safetensors");
  verified.expect(1, {"model.safetensors can't be read", "Is a directory"}, false);
}

TEST(Verify, MissingMetricsAreSaidAndTheModelIsComparedAllTheSame) {
  const Verified verified;
  std::filesystem::remove(verified.run + "/metrics.jsonl");
  verified.expect(1, {"metrics.jsonl is missing", "model.safetensors has the same bits"}, true);
}

TEST(Verify, AManifestThatClaimsOtherStepsOrAnotherEnd) {
  const Verified verified;
  verified.expect(0, {"20 steps", "the same losses and accuracies"}, true);
  verified.seal_again([](run::Manifest& m) { m.step = 1000; });
  verified.expect(1,
                  {"trained again from config.json, 20 steps",
                   "manifest.json says finished after step 1000; trained again it is finished "
                   "after step 20"},
                  true);
  verified.seal_again([](run::Manifest& m) {
    m.step = 20;
    m.status = run::RunStatus::diverged;
  });
  verified.expect(1, {"says diverged after step 20; trained again it is finished"}, true);
}

TEST(Verify, AccuraciesThatTrainingDoesNotGive) {
  const Verified verified;
  std::string metrics = verified.metrics("run");
  const std::string key = "\"accuracy\":";
  metrics.insert(metrics.find(key) + key.size(), "9");
  verified.folder.write("run/metrics.jsonl", metrics);
  verified.seal_again([&](run::Manifest& m) {
    m.files["metrics.jsonl"] = {run::hash_of(std::as_bytes(std::span(metrics)))};
  });
  verified.expect(1,
                  {"metrics.jsonl has other values: line 11 is", "\"accuracy\":9",
                   "model.safetensors has the same bits"},
                  true);
}

TEST(Verify, ADivergedRunEndsWhereItEnded) {
  const Verified verified({"--recipe", "tutorial", "--lr", "1e30", "--steps", "20"}, 1);
  verified.expect(0, {"the same losses and accuracies", "the same bits"}, true);
}

TEST(Verify, AFolderThatCantBeLookedInto) {
  const test::TemporaryFolder folder;
  const std::string path = folder / std::string(300, 'n');  // as without permission, also for root
  const auto result = test::run_program({"verify", path});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("can't open the folder"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace unroll
