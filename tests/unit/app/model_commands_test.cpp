// eval, predict and inspect, on models good and bad.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "support/golden_compare.h"
#include "support/patterns.h"
#include "unit/app/models.h"
#include "unit/data/idx_files.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

using Json = nlohmann::json;
using test::run_program;

struct ModelCommands : testing::Test, Models {};

std::vector<Json> events_of(const test::ProgramResult& result) {
  EXPECT_EQ(result.code, 0) << result.err;
  std::vector<Json> events;
  for (const std::string& line : test::lines_of(result.out)) events.push_back(Json::parse(line));
  return events;
}

// One picture by three ways, and what eval computes: the same numbers to the last bit.
TEST_F(ModelCommands, PredictAgreesWithItselfAndWithEval) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    SCOPED_TRACE(std::string(unroll::name_of(dtype)));
    const std::string model = write_model("model.safetensors", dtype);
    const auto whole =
        events_of(run_program({"predict", model, images, "--index", "42", "--json"}));
    ASSERT_EQ(whole.size(), 1u);
    EXPECT_EQ(whole[0].at("image"), 42);
    const auto by_rows =
        events_of(run_program({"predict", model, images, "--index", "42", "--rows", "--json"}));
    const auto typed =
        events_of(run_program({"predict", model, "--rows", "--json"}, {.input = rows_of(42)}));
    ASSERT_EQ(by_rows.size(), 28u);
    EXPECT_EQ(by_rows, typed);
    for (int r = 0; r < 28; ++r) EXPECT_EQ(by_rows[static_cast<std::size_t>(r)].at("row"), r + 1);
    EXPECT_EQ(by_rows.back().at("probabilities"), whole[0].at("probabilities"));
    EXPECT_NE(by_rows.front().at("probabilities"), whole[0].at("probabilities"));
    const auto typed_whole =
        events_of(run_program({"predict", model, "-", "--json"}, {.input = rows_of(42)}));
    EXPECT_EQ(typed_whole.at(0).at("probabilities"), whole[0].at("probabilities"));

    const auto eval = run_program(
        {"eval", model, "--data-dir", data, "--logits", folder / "logits.npy", "--json"});
    ASSERT_EQ(eval.code, 0) << eval.err;
    const io::NpyArray array = io::read_npy(folder / "logits.npy");
    ASSERT_EQ(array.shape, (std::vector<std::int64_t>{100, 10}));
    const auto logits = test::values_of(array.view());
    const auto first = logits.begin() + 420;
    EXPECT_EQ(whole[0].at("class"), std::max_element(first, first + 10) - first);
    double total = 0;
    for (int c = 0; c < 10; ++c) total += std::exp(first[c] - first[0]);
    for (int c = 0; c < 10; ++c)
      EXPECT_NEAR(whole[0].at("probabilities").at(static_cast<std::size_t>(c)).get<double>(),
                  std::exp(first[c] - first[0]) / total, 1e-6);
  }
}

// The data set itself, or its file of images: the same answer, with the label beside it.
TEST_F(ModelCommands, PredictTakesSamplesOfADataSet) {
  const std::string model = write_model("model.safetensors");
  const auto predict = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"predict", model});
    return run_program(more);
  };
  const auto of_file = events_of(predict({images, "--index", "42", "--json"}));
  for (const auto& name : {std::string("mnist"), set}) {
    auto of_set = events_of(predict({name, "--data-dir", data, "--index", "42", "--json"}));
    ASSERT_EQ(of_set.size(), 1u);
    EXPECT_EQ(of_set[0].at("label"), 42 % 10);  // as write_small_set labels them
    of_set[0].erase("label");
    EXPECT_EQ(of_set, of_file);
  }
  EXPECT_EQ(predict({"mnist", "--data-dir", data, "--index", "3", "--rows"}).out,
            predict({images, "--index", "3", "--rows"}).out);
  const auto lines = test::lines_of(predict({"mnist", "--data-dir", data}).out);
  ASSERT_EQ(lines.size(), 100u);
  EXPECT_TRUE(lines[57].starts_with("image 57: class ")) << lines[57];
  EXPECT_TRUE(lines[57].ends_with(", label 7")) << lines[57];
  expect_failure(predict({"mnist", "--data-dir", data, "--index", "100"}), 2, {"100", "0 to 99"});
  expect_failure(predict({"mnist", "--data-dir", data, "--rows"}), 2, {"--index"});
  expect_failure(predict({"copy", "--index", "0"}), 1, {"copy"});
}

// A model that answers each time step: the classes are those after each row.
TEST_F(ModelCommands, PredictOfAModelThatAnswersEachStep) {
  spec::ModelSpec spec = test::rnn_spec(28, 8, 3, 1);
  spec.input = spec::ImageInput{.width = 28};
  std::get<spec::RecurrentSpec>(spec.layers[0]).readout = spec::Readout::every_step;
  Generator generator(7);
  train::Network network(spec, generator, {});
  const std::string model = folder / "steps.safetensors";
  nn::save_model(model, spec, network.parameters());
  const auto whole = events_of(run_program({"predict", model, images, "--index", "3", "--json"}));
  ASSERT_EQ(whole.size(), 1u);
  Json classes = Json::array();
  for (const Json& row :
       events_of(run_program({"predict", model, images, "--index", "3", "--rows", "--json"})))
    classes.push_back(row.at("class"));
  EXPECT_EQ(classes.size(), 28u);
  EXPECT_EQ(whole[0], (Json{{"event", "prediction"}, {"image", 3}, {"classes", classes}}));
}

TEST_F(ModelCommands, PredictPrintsClassAndProbabilities) {
  const std::string model = write_model("model.safetensors");
  const auto all = run_program({"predict", model, images});
  ASSERT_EQ(all.code, 0) << all.err;
  const auto lines = test::lines_of(all.out);
  ASSERT_EQ(lines.size(), 100u);
  const std::string one = R"(image \d+: class \d, probability [01]\.\d{4} of( [01]\.\d{4}){10})";
  for (const std::string& line : lines) EXPECT_TRUE(test::matches(line, one)) << line;
  const auto single = test::lines_of(run_program({"predict", model, images, "--index", "3"}).out);
  ASSERT_EQ(single.size(), 11u);
  EXPECT_TRUE(lines[3].starts_with(single[0])) << lines[3];
  EXPECT_TRUE(test::matches(single[10], R"(  class 9: 0\.\d{4})")) << single[10];
  // Pixels need not be whole, and commas are as good as blanks.
  std::string commas;
  for (int i = 0; i < 28; ++i) commas += "0.5,";
  EXPECT_EQ(run_program({"predict", model}, {.input = commas + "\r\n\n" + commas}).code, 0);
}

TEST_F(ModelCommands, PredictPrintsTheNamesOfClasses) {
  const std::string model = changed(folder, write_model("model.safetensors"),
                                    [](Json& description, std::vector<io::ArrayView>&) {
                                      for (const char c : std::string("abcdefghij"))
                                        description["classes"].push_back(std::string(2, c));
                                    });
  const auto lines = test::lines_of(run_program({"predict", model, images, "--index", "3"}).out);
  ASSERT_EQ(lines.size(), 11u);
  EXPECT_TRUE(test::matches(lines[0], R"(image 3: class \d \((.)\1\), probability .*)"))
      << lines[0];
  EXPECT_TRUE(lines[10].starts_with("  class 9 (jj): ")) << lines[10];
  const auto events = events_of(run_program({"predict", model, images, "--index", "3", "--json"}));
  ASSERT_EQ(events.size(), 1u);
  const char letter = static_cast<char>('a' + events[0].at("class").get<int>());
  EXPECT_EQ(events[0].at("name"), std::string(2, letter));
}

TEST_F(ModelCommands, PredictRefusesWhatIsNoRow) {
  const std::string model = write_model("model.safetensors");
  const auto typed = [&](const std::string& text) {
    return run_program({"predict", model}, {.input = text});
  };
  std::string row;
  for (int i = 0; i < 27; ++i) row += "1 ";
  expect_failure(typed(""), 1, {"stdin", "28 numbers"});
  expect_failure(typed("\n\n"), 1, {"stdin", "28 numbers"});
  expect_failure(typed(row + "\n"), 1, {"row 1", "27 numbers", "28"});
  expect_failure(typed(row + "1 1\n"), 1, {"row 1", "29 numbers", "28"});
  expect_failure(typed(row + "x\n"), 1, {"row 1", "number 28"});
  expect_failure(typed(row + "1x\n"), 1, {"row 1", "number 28"});
  expect_failure(typed(row + "nan\n"), 1, {"row 1", "number 28", "finite"});
  expect_failure(typed(row + "1e99\n"), 1, {"row 1", "number 28", "finite"});
  expect_failure(typed(row + "1\n" + row), 1, {"row 2", "27 numbers"});
  expect_failure(typed(std::string(3 << 20, '1')), 1, {"row 1", "longer than 1 MB"});
  expect_failure(typed(row + "-1\n"), 1, {"a pixel is -1, expected 0 to 255"});
  expect_failure(typed(row + "256\n"), 1, {"a pixel is 256, expected 0 to 255"});
  expect_failure(run_program({"predict", model, images, "--index", "100"}), 2, {"100", "0 to 99"});
  expect_failure(run_program({"predict", model, images, "--index", "-1"}), 2, {"-1", "0 to 99"});
  expect_failure(run_program({"predict", model, images, "--rows"}), 2, {"--index"});
  expect_failure(run_program({"predict", model, "--index", "1"}), 2, {"--index", "file"});
  expect_failure(run_program({"predict", model, set + "/t10k-labels-idx1-ubyte"}), 1,
                 {"t10k-labels-idx1-ubyte"});
  const std::string narrow = folder.write("narrow", test::idx_images(2, 28, 27));
  expect_failure(run_program({"predict", model, narrow}), 1, {"28x27", "28"});
}

TEST_F(ModelCommands, EvalGivesScoresAndConfusionMatrix) {
  std::filesystem::create_directory(folder / "run");
  write_model("run/model.safetensors");
  const auto text = run_program({"eval", folder / "run", "--data-dir", data});
  ASSERT_EQ(text.code, 0) << text.err;
  const auto found = test::search(
      text.out, R"(mnist: accuracy (\d+\.\d\d) % \((\d+) of 100 correct\), loss (\d+\.\d{4}))");
  ASSERT_FALSE(found.empty()) << text.out;
  EXPECT_EQ(found[1], found[2] + ".00");
  const auto json = run_program(
      {"eval", folder / "run/model.safetensors", "mnist", "--data-dir", data, "--json"});
  const auto events = events_of(json);
  ASSERT_EQ(events.size(), 1u);
  const Json& event = events[0];
  EXPECT_TRUE(json.out.starts_with(R"({"event":"eval",)"));
  EXPECT_EQ(event.at("correct"), std::stoi(found[2]));
  EXPECT_EQ(event.at("total"), 100);
  EXPECT_EQ(event.at("accuracy"), event.at("correct"));  // percent, of 100 images
  int diagonal = 0, all = 0;
  for (int c = 0; c < 10; ++c) {
    const auto at = static_cast<std::size_t>(c);
    EXPECT_EQ(event.at("classes").at(at).at("count"), 10);
    diagonal += event.at("confusion").at(at).at(at).get<int>();
    for (const Json& count : event.at("confusion").at(at)) all += count.get<int>();
  }
  EXPECT_EQ(diagonal, event.at("correct"));
  EXPECT_EQ(all, 100);
}

TEST_F(ModelCommands, InspectShowsTheTutorialsSixTensors) {
  for (const bool bare : {false, true}) {
    const auto result = run_program({"inspect", write_model("m.safetensors", DType::f32, bare)});
    ASSERT_EQ(result.code, 0) << result.err;
    const auto lines = test::lines_of(result.out);
    const std::pair<const char*, const char*> expected[] = {
        {"rnn.weight_ih_l0", "[100, 28]"}, {"rnn.weight_hh_l0", "[100, 100]"},
        {"rnn.bias_ih_l0", "[100]"},       {"rnn.bias_hh_l0", "[100]"},
        {"fc.weight", "[10, 100]"},        {"fc.bias", "[10]"}};
    ASSERT_GE(lines.size(), 8u);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_TRUE(lines[i + 1].starts_with(expected[i].first)) << lines[i + 1];
      expect_parts(lines[i + 1], {std::string(" ") + expected[i].second + " "});
    }
    EXPECT_TRUE(!test::search(lines[7], "^total +14010 ").empty()) << lines[7];
    expect_parts(result.out, {"input → hidden", "hidden → hidden", "hidden → output"});
    expect_parts(result.out, {bare ? "relu or tanh" : "relu", "28 inputs, 100 hidden units"});
  }
}

TEST_F(ModelCommands, InspectAsJsonHasAllThatItShows) {
  for (const bool bare : {false, true}) {
    const auto events = events_of(
        run_program({"inspect", write_model("m.safetensors", DType::f32, bare), "--json"}));
    ASSERT_EQ(events.size(), 1u);
    const Json& model = events[0];
    EXPECT_EQ(model.at("event"), "inspect");
    EXPECT_EQ(model.at("count"), 14010);
    EXPECT_EQ(model.at("described"), !bare);
    EXPECT_EQ(model.at("activation_known"), !bare);
    EXPECT_EQ(model.at("outputs"), 10);
    ASSERT_EQ(model.at("tensors").size(), 6u);
    const Json& first = model.at("tensors").at(0);
    EXPECT_EQ(first.at("name"), "rnn.weight_ih_l0");
    EXPECT_EQ(first.at("shape"), Json({100, 28}));
    EXPECT_EQ(first.at("count"), 2800);
    EXPECT_EQ(first.at("role"), "input → hidden");
    double squares = 0;
    for (const Json& tensor : model.at("tensors"))
      squares += std::pow(tensor.at("norm").get<double>(), 2);
    EXPECT_NEAR(model.at("norm").get<double>(), std::sqrt(squares), 1e-9);
    EXPECT_EQ(model.at("description").at("layers").size(), 2u);
  }
}

// The picture is one more file; the output stays the same.
TEST_F(ModelCommands, InspectDrawsTheModel) {
  for (const bool bare : {false, true}) {
    const std::string model = write_model("m.safetensors", DType::f32, bare),
                      picture = folder / "network.svg";
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{}, std::vector<std::string>{"--json"}}) {
      std::vector<std::string> plain = {"inspect", model};
      plain.insert(plain.end(), how.begin(), how.end());
      std::vector<std::string> drawing = plain;
      drawing.insert(drawing.end(), {"--svg", picture});
      const auto result = run_program(drawing);
      ASSERT_EQ(result.code, 0) << result.err;
      EXPECT_EQ(result.out, run_program(plain).out);
      expect_parts(read_text("test", picture, 100'000),
                   {"<svg ", ">13,000 parameters<", bare ? "ReLU or tanh" : "ReLU<"});
    }
    expect_failure(run_program({"inspect", model, "--svg", model}), 2, {"m.safetensors"});
    expect_failure(run_program({"inspect", model, "--svg", folder / "none/x.svg"}), 1,
                   {"[inspect]", "none"});
  }
}

TEST_F(ModelCommands, ABareStateDictMustSayItsActivation) {
  const std::string bare = write_model("bare.safetensors", DType::f32, true);
  expect_failure(run_program({"eval", bare, "--data-dir", data}), 2,
                 {bare, "--activation relu", "--activation tanh"});
  expect_failure(run_program({"predict", bare, images}), 2, {bare, "--activation"});
  expect_failure(run_program({"eval", bare, "--activation", "rely", "--data-dir", data}), 2,
                 {"rely", "relu"});
  const auto accuracy = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"eval", bare, "--data-dir", data, "--json"});
    const auto events = events_of(run_program(more));
    return events.empty() ? Json() : events[0].at("loss");
  };
  const Json relu = accuracy({"--activation", "relu", "--normalize", "none"});
  EXPECT_NE(relu, accuracy({"--activation", "tanh", "--normalize", "none"}));
  EXPECT_NE(relu, accuracy({"--activation", "relu", "--normalize", "0.1307,0.3081"}));
  const std::string described = write_model("described.safetensors");
  expect_failure(run_program({"eval", described, "--activation", "tanh", "--data-dir", data}), 2,
                 {described, "describes itself"});
}

// A bare state_dict states no input, so it reads numbers as they are. Images become numbers in
// [0, 1], with a note; rows of numbers may be anything.
TEST(Trial02, ABareStateDictIsGivenImagesInZeroToOneWithANote) {
  const Models on;
  const std::string bare = on.write_model("bare.safetensors", DType::f32, true);
  for (std::vector<std::string> command :
       {std::vector<std::string>{"eval", bare, "--json", "--data-dir", on.data},
        {"predict", bare, on.images}}) {
    command.insert(command.end(), {"--activation", "relu"});
    const auto assumed = run_program(command);
    EXPECT_EQ(assumed.code, 0) << assumed.err;
    expect_parts(assumed.err, {bare, "[0, 1]", "--normalize MEAN,STD"});
    command.insert(command.end(), {"--normalize", "none"});
    const auto said = run_program(command);
    EXPECT_EQ(said.out, assumed.out);
    EXPECT_EQ(said.err.find("[0, 1]"), std::string::npos) << said.err;
  }
  on.folder.write("rows.csv", "1,2,3\n");
  const auto rows = run_program({"predict", bare, on.folder / "rows.csv", "--activation", "relu"});
  EXPECT_EQ(rows.code, 2);
  expect_parts(rows.err, {bare, "reads numbers", "--normalize none", "--normalize MEAN,STD"});
  expect_parts(run_program({"inspect", bare}).out, {"28 numbers as they are"});
  expect_parts(run_program({"inspect", bare, "--normalize", "0.5,2"}).out,
               {"(pixel / 255 - 0.5) / 2"});
}

TEST_F(ModelCommands, ModelAndDataMustFit) {
  const std::string model = write_model("model.safetensors");
  folder.write("wide/train-images-idx3-ubyte", test::idx_images(30, 28, 30));
  folder.write("wide/train-labels-idx1-ubyte", test::idx_labels(30));
  folder.write("wide/t10k-images-idx3-ubyte", test::idx_images(10, 28, 30));
  folder.write("wide/t10k-labels-idx1-ubyte", test::idx_labels(10));
  expect_failure(run_program({"eval", model, folder / "wide"}), 1, {"28x30"});
}

TEST_F(ModelCommands, DataInfoPrintsTheFourSizes) {
  const auto result = run_program({"data", "info", "mnist", "--data-dir", data});
  ASSERT_EQ(result.code, 0) << result.err;
  for (const char* line : {"train images +300x28x28", "train labels +300", "test images +100x28x28",
                           "test labels +100"})
    EXPECT_TRUE(!test::search(result.out, line).empty()) << line << " in\n" << result.out;
}

}  // namespace
}  // namespace unroll::app
