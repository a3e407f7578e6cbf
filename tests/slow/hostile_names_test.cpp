// Every command with names that a terminal would act on.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/printable.h"
#include "nn/model_file.h"
#include "support/small_run.h"
#include "support/specs.h"
#include "train/network.h"
#include "unroll/io/npy.h"

namespace unroll {
namespace {

using Texts = std::vector<std::string>;

TEST(HostileNames, NoCommandPrintsThemAsTheyAre) {
  const test::TemporaryFolder folder;
  const std::string name = "es\x1b[31m\u009b c'd";  // an escape, and the other one
  test::write_small_set(folder, name + "/mnist");
  test::write_small_set(folder, name + "/" + name);
  const std::string data = folder / name, set = data + "/" + name, run = folder / ("run" + name),
                    model = run + "/model.safetensors", inputs = folder / (name + ".npy");
  io::write_npy(inputs, {1, 28, 28}, std::vector<float>(784));
  const auto expect_clean = [](const Texts& command, int code) {
    const auto result = test::run_program(command);
    const std::string all = result.out + result.err;
    EXPECT_EQ(result.code, code) << command[0] << "\n" << all;
    EXPECT_EQ(all.find_first_of("\x1b\x9b"), std::string::npos) << command[0] << "\n" << all;
    EXPECT_NE(all, "") << command[0];
  };
  const auto out = [&](const std::string& ending) { return folder / (name + "." + ending); };

  expect_clean({"train", "mnist", "--data-dir", data, "--out", run, "--steps", "5"}, 0);
  expect_clean({"train", "mnist", "--data-dir", data, "--out", run, "--steps", "5"}, 2);
  for (const std::string how : {"--json", "--quiet", "--verbose"})
    expect_clean({"train", set, "--steps", "2", "--out", folder / (how + name), how}, 0);
  expect_clean({"train", "--resume", run}, 0);
  expect_clean({"train", "--resume", data}, 1);
  expect_clean({"train", "--resume", run, "--seed", "7"}, 2);
  expect_clean({"train", name}, 2);
  expect_clean({"train", "mnist", "--config", out("json")}, 1);
  expect_clean({"verify", run, "--data-dir", data}, 0);
  expect_clean({"verify", data}, 1);
  expect_clean({"eval", run, "--data-dir", data}, 0);
  expect_clean({"eval", run, set}, 0);
  expect_clean({"eval", run, set, "--json"}, 0);
  expect_clean({"eval", run, name}, 2);
  expect_clean({"eval", folder / ("--json" + name)}, 2);  // its data was a folder called so
  expect_clean({"predict", run, set + "/t10k-images-idx3-ubyte", "--index", "0"}, 0);
  expect_clean({"predict", run, inputs}, 2);
  expect_clean({"predict", run, out("npy"), "--out", inputs}, 2);
  expect_clean({"inspect", run}, 0);
  expect_clean({"inspect", name}, 1);
  for (const std::string format : {"npz", "onnx"})
    expect_clean({"export", run, "--format", format, "-o", out(format)}, 0);
  expect_clean({"export", run, "--format", "cpp", "--name", "n", "-o", out("h")}, 0);
  expect_clean(
      {"export", run, "--format", "cpp", "--name", "n", "--int8", "--dataset", set, "-o", out("h")},
      0);
  expect_clean({"export", run, "--format", "cpp", "-o", out("h")}, 2);
  expect_clean({"export", run, "--format", name, "-o", out("h")}, 2);
  const std::string arch =
      folder.write(name + ".json", R"({"layers": [{"type": "rnn", "name": "rnn", "readout": "last"},
                                     {"type": "linear", "name": "fc"}]})");
  const std::string pt = out("pt");
  std::filesystem::copy_file(std::string(UNROLL_SOURCE_DIR) + "/tests/unit/import/files/lstm.pt",
                             pt);
  expect_clean({"import", pt, "-o", out("safetensors")}, 2);
  expect_clean({"import", pt, "--arch", arch, "-o", out("safetensors")}, 1);
  folder.write(name + ".json", R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last"},
                                              {"type": "linear", "name": "fc"}]})");
  expect_clean({"import", pt, "--arch", arch, "-o", out("safetensors")}, 0);
  expect_clean({"data", "info", set}, 0);
  expect_clean({"data", "info", "mnist", "--data-dir", data}, 0);
  expect_clean({"data", "info", name}, 2);
  expect_clean({name}, 2);
  expect_clean({"bench", "--" + name}, 2);
  expect_clean({"signature", name}, 2);
  expect_clean({"completion", name}, 2);
  expect_clean({"manual", name}, 2);
}

TEST(Trial18, NamesAreSpeltOutByExportAndImport) {
  const test::TemporaryFolder folder;
  const std::string name = "e\u202ex\u009b31m\u061c";  // turns the direction, begins a sequence
  spec::ModelSpec spec = test::rnn_spec(3, 4, 2);
  std::get<spec::RecurrentSpec>(spec.layers[0]).name = name;
  Generator generator(7);
  train::Network model(spec, generator, {});
  const Parameters parameters = model.parameters();
  nn::save_model(folder / "m.safetensors", spec, parameters);
  io::write_safetensors(folder / "bare.safetensors", nn::views_of(parameters));
  const auto expect_clean = [&](const Texts& command, int code) {
    const auto result = test::run_program(command);
    EXPECT_EQ(result.code, code) << result.out << result.err;
    for (const std::string& line : test::lines_of(result.out + result.err))
      EXPECT_EQ(printable(line), line);
    EXPECT_NE((result.out + result.err).find("e\\u202ex\\u009b31m\\u061c"), std::string::npos)
        << result.out << result.err;
    return result;
  };
  for (const char* more : {"--streaming", "--no-scaling"})
    expect_clean(
        {"export", folder / "m.safetensors", "--format", "onnx", more, "-o", folder / "m.onnx"}, 0);
  // What is proposed is still JSON with the same name.
  const auto asked =
      expect_clean({"import", folder / "bare.safetensors", "-o", folder / "x"}, 2).err;
  EXPECT_NE(asked.find("\"name\": \"e\\u202ex\\u009b31m\\u061c\""), std::string::npos) << asked;
}

}  // namespace
}  // namespace unroll
