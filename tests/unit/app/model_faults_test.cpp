// Models that are not what they should be: the rows of docs/robustness.md, as the program says
// them.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "support/refusal.h"
#include "unit/app/models.h"

namespace unroll::app {
namespace {

using Json = nlohmann::json;
using test::expect_refused;
using test::run_program;

/// A model that the tests damage, as each command meets it.
struct DamagedModel : Models {
  std::string model = write_model("model.safetensors");

  /// What reads a model refuses the file, naming it.
  void expect(const std::string& path, std::vector<std::string> parts) const {
    parts.push_back(path);
    expect_refused({"inspect", path}, 1, parts);
    expect_refused({"eval", path, "--data-dir", data}, 1, parts);
    expect_refused({"predict", path, images}, 1, parts);
  }

  /// The same for a file of that header and so many bytes of data.
  void expect_header(const std::string& header, std::size_t data_size,
                     const std::vector<std::string>& parts) const {
    std::string text(8, '\0');
    const std::uint64_t length = header.size();
    std::memcpy(text.data(), &length, sizeof length);
    expect(folder.write("header.safetensors", text + header + std::string(data_size, '\1')), parts);
  }

  /// The model with another description.
  std::string described(const std::function<void(Json&)>& how) const {
    return changed(folder, model, [&](Json& d, std::vector<io::ArrayView>&) { how(d); });
  }

  /// The model with a description that is no JSON, or not what a writer would make.
  std::string described(const std::string& text) const {
    const auto file = io::Safetensors::read(model);
    auto metadata = file.metadata();
    metadata["unroll"] = text;
    const std::string path = folder / "text.safetensors";
    io::write_safetensors(path, file.arrays(), metadata);
    return path;
  }

  std::string description() const { return io::Safetensors::read(model).metadata().at("unroll"); }
};

TEST(Fault26, TruncatedModels) {
  const DamagedModel damaged;
  const std::string whole = test::content_of(damaged.model);
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{100},
                                 whole.size() / 2, whole.size() - 1})
    damaged.expect(damaged.folder.write("cut.safetensors", whole.substr(0, size)),
                   {"download it again"});
  expect_refused({"inspect", damaged.folder / "none"}, 1,
                 {damaged.folder / "none", "No such file"});
  expect_refused({"inspect", damaged.data}, 1, {damaged.data + "/model.safetensors"});
}

TEST(Fault28, AHugeHeader) {
  const DamagedModel damaged;
  const auto with_length = [&](std::uint64_t length) {
    std::string text(8, '\0');
    std::memcpy(text.data(), &length, sizeof length);
    return damaged.folder.write("huge.safetensors", text + std::string(100, ' '));
  };
  damaged.expect(with_length(std::uint64_t{1} << 63),
                 {"9223372036854775808", "limit", "download it again"});
  damaged.expect(with_length(33'554'433), {"33554433", "limit", "download it again"});
  damaged.expect(with_length(33'554'432), {"truncated", "download it again"});
}

TEST(Fault29, OffsetsOfTheTensors) {
  const DamagedModel damaged;
  const auto expect = [&](const char* first, const char* second, const char* why) {
    const auto tensor = [](const char* name, const char* offsets) {
      return std::string("\"") + name + R"(":{"dtype":"F32","shape":[2],"data_offsets":[)" +
             offsets + "]}";
    };
    damaged.expect_header("{" + tensor("a", first) + "," + tensor("b", second) + "}", 16,
                          {"\"b\"", why, "download it again"});
  };
  expect("0,8", "4,12", "overlapping");
  expect("0,8", "12,20", "outside");
  expect("0,8", "16,8", "backwards");
  expect("0,8", "18446744073709551608,18446744073709551615", "outside");
  damaged.expect_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})", 16,
                        {"\"a\"", "after a gap", "download it again"});
}

TEST(Fault30, HeadersThatAreNotTheFormats) {
  const DamagedModel damaged;
  const std::string again = "download it again";
  damaged.expect_header(R"({"__metadata__":{"k":"1","k":"2"}})", 0, {"\"k\" twice", again});
  damaged.expect_header("{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}", 0,
                        {"an array in a place where the format allows none", again});
  damaged.expect_header("{\"\xc3(\":{}}", 0, {"not JSON in UTF-8", again});
}

TEST(Fault30, DescriptionsThatAreNotTheFormats) {
  const DamagedModel damaged;
  const std::string good = damaged.description(), again = "save the model again";
  damaged.expect(damaged.described(R"({"version":2,)" + good.substr(1)),
                 {"\"version\" appears twice", again});
  damaged.expect(damaged.described(R"({"version":)" + std::string(100'000, '[') +
                                   std::string(100'000, ']') + "}"),
                 {"nested deeper than 32", again});
  damaged.expect(damaged.described(good + std::string(1 << 20, ' ')), {"bytes", again});
  damaged.expect(damaged.described([](Json& d) { d = 5; }), {"not a JSON object", again});
  damaged.expect(damaged.described([](Json& d) { d["layers"][0]["hidden_size"] = 1e300; }),
                 {"'hidden_size'", again});
  damaged.expect(damaged.described([](Json& d) { d["layers"][0]["nonlinearity"] = "sine"; }),
                 {"sine", again});
}

TEST(Fault31, WeightsThatDoNotFitAreAllListed) {
  const DamagedModel damaged;
  const std::vector<std::byte> zeros(4096);
  damaged.expect(
      changed(damaged.folder, damaged.model,
              [&](Json& description, std::vector<io::ArrayView>& arrays) {
                description["layers"][1]["out_features"] = 11;
                std::erase_if(arrays,
                              [](const io::ArrayView& a) { return a.name == "rnn.bias_hh_l0"; });
                arrays.push_back({"extra", io::ElementType::f32, {2}, std::span(zeros).first(8)});
                for (io::ArrayView& a : arrays)
                  if (a.name == "rnn.bias_ih_l0")
                    a = {a.name, io::ElementType::i64, {100}, std::span(zeros).first(800)};
              }),
      {"fc.weight has shape [10, 100], expected [11, 100]", "fc.bias has shape [10], expected [11]",
       "rnn.bias_hh_l0 is missing", "extra is not part", "rnn.bias_ih_l0 has elements of type I64",
       "save the model again"});
}

TEST(Fault32, WeightsThatAreNotFinite) {
  const DamagedModel damaged;
  std::vector<float> weights(1000, 0.5f), bias(10, 0.5f);
  weights[17] = std::numeric_limits<float>::quiet_NaN();
  weights[18] = -std::numeric_limits<float>::infinity();
  bias[9] = std::numeric_limits<float>::quiet_NaN();
  const std::string path =
      changed(damaged.folder, damaged.model, [&](Json&, std::vector<io::ArrayView>& arrays) {
        for (io::ArrayView& a : arrays) {
          if (a.name == "fc.weight") a.data = std::as_bytes(std::span(weights));
          if (a.name == "fc.bias") a.data = std::as_bytes(std::span(bias));
        }
      });
  const std::vector<std::string> said = {path, "NaN or infinite", "2 of 1000 in fc.weight",
                                         "1 of 10 in fc.bias"};
  std::vector<std::string> refused = said;
  refused.insert(refused.end(), {"train it again", "--allow-not-finite"});
  const std::vector<std::string> commands[] = {{"eval", path, "--data-dir", damaged.data},
                                               {"predict", path, damaged.images, "--index", "0"}};
  for (std::vector<std::string> command : commands) {
    expect_refused(command, 1, refused);
    command.push_back("--allow-not-finite");
    const auto result = run_program(command);
    EXPECT_EQ(result.code, 0) << result.err;
    expect_parts(result.err, said);
  }
  // To look at such a model is no danger.
  const auto inspect = run_program({"inspect", path});
  EXPECT_EQ(inspect.code, 0);
  expect_parts(inspect.err, said);
  expect_parts(inspect.out, {"nan"});
}

TEST(Fault33, ANewerVersion) {
  const DamagedModel damaged;
  damaged.expect(damaged.described([](Json& d) { d["version"] = 6; }),
                 {"written by a newer version", "format 6", "reads up to 5", "update Unroll"});
}

// Whatever a file calls its tensors, layers and data: the terminal shows it and does nothing.
TEST(PrintedNames, HaveNothingThatATerminalActsOn) {
  const DamagedModel damaged;
  const std::string name =
      "f\xc2\x9b"
      "31mc\xe2\x80\xae";
  const std::string path = changed(damaged.folder, damaged.model,
                                   [&](Json& description, std::vector<io::ArrayView>& arrays) {
                                     description["layers"][1]["name"] = name;
                                     description["dataset"] = "\x1b]0;title\x07";
                                     for (io::ArrayView& a : arrays)
                                       if (a.name.starts_with("fc."))
                                         a.name = name + a.name.substr(2);
                                   });
  const auto result = run_program({"inspect", path});
  EXPECT_EQ(result.code, 0) << result.err;
  expect_parts(result.out, {R"(f\u009b31mc\u202e.weight)", R"(f\u009b31mc\u202e: linear)",
                            R"(trained on: \x1b]0;title\x07)"});
  EXPECT_EQ(result.out.find_first_of("\x1b\x07"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("\xc2\x9b"), std::string::npos) << result.out;
  expect_refused({"inspect", damaged.folder / "\x1b[31m"}, 1, {R"(/\x1b[31m)"});
  expect_refused({"eval", path, "--data-dir", damaged.data}, 2, {R"(\x1b]0;title\x07)"});
  expect_refused({"\x1b[31m"}, 2, {R"(\x1b[31m)"});
}

// What a model says that it was trained on is looked for only if it is the name of a known set.
TEST(ModelFiles, CannotHaveAnotherFileRead) {
  const DamagedModel damaged;
  for (const std::string& place :
       {damaged.set, std::string("../data/mnist"), std::string("/etc")}) {
    const std::string path = damaged.described([&](Json& d) { d["dataset"] = place; });
    expect_refused({"eval", path, "--data-dir", damaged.data}, 2, {place, "name the folder"});
  }
}

}  // namespace
}  // namespace unroll::app
