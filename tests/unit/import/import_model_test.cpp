#include "import/import_model.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>

#include "import/architecture.h"
#include "spec/damaged_description.h"
#include "support/expect_error.h"
#include "support/specs.h"
#include "unit/import/archives.h"
#include "unit/import/states.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using test::error_of;

spec::ModelSpec lstm_spec() {
  return test::recurrent_spec(
      {.name = "rnn", .cell = spec::Cell::lstm, .input_size = 3, .hidden_size = 4}, 2);
}

spec::ModelSpec lstm_of_numbers() {
  spec::ModelSpec spec = lstm_spec();
  spec.input = spec::SeriesInput{.features = 3};
  return spec;
}

constexpr const char* kLstm =
    R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last"}, {"type": "linear", "name": "fc"}]})";

TEST(ImportModel, FillsInWhatTheWeightsTell) {
  for (const char* prefix : {"", "model.", "module.", "_orig_mod.", "module.model."}) {
    const ImportedModel model = import_model(with_weights_of(lstm_spec(), prefix), kLstm);
    EXPECT_EQ(model.spec, lstm_of_numbers()) << prefix;
    ASSERT_EQ(model.weights.size(), 6u);
    EXPECT_EQ(model.weights[0].name, "rnn.weight_ih_l0");
    EXPECT_EQ(model.weights[5].values, (std::vector<float>{0, 1}));
  }
  spec::ModelSpec all = test::recurrent_spec({.name = "enc",
                                              .cell = spec::Cell::lstm,
                                              .input_size = 3,
                                              .hidden_size = 6,
                                              .num_layers = 2,
                                              .proj_size = 4,
                                              .bidirectional = true,
                                              .bias = false,
                                              .layer_norm = true,
                                              .learn_initial_state = true,
                                              .readout = spec::Readout::mean_last},
                                             2);
  all.input = spec::SeriesInput{.features = 3};
  EXPECT_EQ(import_model(with_weights_of(all, "net.core."),
                         R"({"layers": [{"type": "lstm", "name": "enc", "readout": "mean_last"},
                                        {"type": "linear", "name": "fc"}]})")
                .spec,
            all);
}

TEST(ImportModel, TakesNumbersAsTheyAreUnlessAnInputOfPixelsIsSaid) {
  const auto imported = [](const std::string& input) {
    std::string text = kLstm;
    text.replace(text.size() - 1, 1, input + "}");
    return import_model(with_weights_of(lstm_spec()), text).spec.input;
  };
  const spec::InputSpec numbers = spec::SeriesInput{.features = 3};
  EXPECT_EQ(imported(""), numbers);
  EXPECT_EQ(imported(R"(, "input": {"pixels": false})"), numbers);
  EXPECT_EQ(imported(R"(, "input": {})"), spec::InputSpec(spec::ImageInput{.width = 3}));
  EXPECT_EQ(imported(R"(, "input": {"height": 8, "mean": 0.5})"),
            spec::InputSpec(spec::ImageInput{.height = 8, .width = 3, .mean = 0.5}));
  EXPECT_THROW(imported(R"(, "input": {"pixels": false, "std": 2})"), FormatError);
}

/// Holds for any wording of the description reader's errors: the import must not search in them.
TEST(ImportModel, GivesTheCauseOfADescriptionsDamageWithoutItsAdvice) {
  const std::string size = "[1,2]", sizes = "[1,2,3]";
  spec::ModelSpec pooled;
  pooled.layers = {spec::MaxPool2dSpec{.kernel = {1, 2}, .stride = {1, 1}}};
  std::string description = spec::to_json(pooled);
  description.replace(description.find(size), size.size(), sizes);
  std::string cause;
  try {
    spec::from_json(description);
  } catch (const spec::DamagedDescription& damaged) {
    cause = damaged.cause();
    EXPECT_NE(damaged.reason(), cause);
  }
  ASSERT_NE(cause, "");

  std::string architecture = kLstm;
  architecture.insert(architecture.rfind(']'), R"(, {"type": "max_pool2d", "kernel": )" + sizes +
                                                   R"(, "stride": [1, 1], "padding": [0, 0]})");
  try {
    import_model(with_weights_of(lstm_spec()), architecture);
    ADD_FAILURE() << "imported";
  } catch (const FormatError& error) {
    EXPECT_TRUE(error.reason().ends_with(": " + cause)) << error.what();
  }
}

TEST(ImportModel, ReadsAFileOfPyTorchs) {
  const StateDict state = read_state_dict(path_of("lstm.pt"));
  const ImportedModel model = import_model(state, kLstm);
  EXPECT_EQ(model.spec, lstm_of_numbers());
  for (const Weight& weight : model.weights) {
    const auto count = static_cast<int>(weight.values.size());
    for (int k = 0; k < count; ++k)
      EXPECT_EQ(weight.values[static_cast<std::size_t>(k)], static_cast<float>(k - count / 2) / 64)
          << weight.name;
  }
}

TEST(ImportModel, AsksForWhatTheWeightsDoNotTell) {
  const auto asked = [](const spec::ModelSpec& spec) {
    try {
      import_model(with_weights_of(spec), std::nullopt);
    } catch (const OpenQuestions& open) {
      return std::string(open.what()) + "\n" + open.architecture();
    }
    return std::string("nothing");
  };
  EXPECT_EQ(
      asked(lstm_spec()),
      R"([import] the weights do not say the readout of rnn (add "readout": "last | mean | max | mean_last | every_step")
{
  "layers": [
    {"type": "lstm", "name": "rnn", "readout": "last | mean | max | mean_last | every_step"},
    {"type": "linear", "name": "fc"}
  ]
}
)");
  // Two recurrent layers, and two linear ones.
  spec::ModelSpec deep = test::rnn_spec(3, 4, 5);
  std::get<spec::RecurrentSpec>(deep.layers[0]).name = "rnn1";
  std::get<spec::RecurrentSpec>(deep.layers[0]).readout = spec::Readout::every_step;
  deep.layers.insert(
      deep.layers.begin() + 1,
      spec::RecurrentSpec{
          .name = "rnn2", .cell = spec::Cell::gru, .input_size = 4, .hidden_size = 4});
  deep.layers.emplace_back(spec::LinearSpec{"fc2", 5, 2});
  expect_parts(asked(deep), {R"({"type": "rnn", "name": "rnn1", "nonlinearity": "tanh | relu"})",
                             R"({"type": "gru", "name": "rnn2", "readout": "last | )",
                             R"({"type": "activation", "function": "relu | tanh | sigmoid"})",
                             R"("name": "fc2"})"});
  // Twice the state's size may be any two readouts side by side, not only mean and last.
  for (const bool bidirectional : {false, true}) {
    spec::ModelSpec both = lstm_spec();
    auto& r = std::get<spec::RecurrentSpec>(both.layers[0]);
    r.readout = spec::Readout::mean_last;
    r.bidirectional = bidirectional;
    std::get<spec::LinearSpec>(both.layers[1]).in_features = r.features();
    both.input = spec::SeriesInput{.features = 3};
    const std::string question = asked(both);
    expect_parts(question, {R"({"type": "lstm", "name": "rnn", "readout": "mean_last"})",
                            fmt::format("fc reads {} numbers, twice the {} of a state",
                                        r.features(), r.features() / 2),
                            "not mean and max, last and max, h_n and c_n or other pairs"});
    // Answer with the file that came with the question.
    const std::string file = question.substr(question.find('{'));
    EXPECT_EQ(import_model(with_weights_of(both), file).spec, both);
  }
  // The answer keeps the list of choices.
  expect_parts(error_of<FormatError>([&] {
                 import_model(
                     with_weights_of(lstm_spec()),
                     R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last | mean"},
                                             {"type": "linear", "name": "fc"}]})");
               }),
               {"'last | mean' is not known", "every_step"});
}

TEST(ImportModel, AnOrderThatSizesDoNotTellIsAskedFor) {
  const StateDict state = state_of({{"embed.weight", {8, 3}},
                                    {"embed.bias", {8}},
                                    {"gru.weight_ih_l0", {15, 8}},
                                    {"gru.weight_hh_l0", {15, 5}},
                                    {"fc.weight", {2, 5}}});
  try {
    import_model(state, std::nullopt);
    ADD_FAILURE() << "nothing was asked";
  } catch (const OpenQuestions& open) {
    EXPECT_EQ(open.architecture(), R"({
  "layers": [
    {"type": "linear", "name": "embed"},
    {"type": "gru", "name": "gru", "readout": "last | mean | max | mean_last | every_step"},
    {"type": "linear", "name": "fc"}
  ]
}
)");
  }
}

TEST(ImportModel, EverythingThatDoesNotFitIsListed) {
  const float infinite[] = {1, std::numeric_limits<float>::infinity()};
  StateDict state = with_weights_of(lstm_spec());
  state.arrays[0].type = io::ElementType::i32;
  state.arrays[3].shape = {4, 4};
  state.arrays.erase(state.arrays.begin() + 1);
  state.arrays.push_back({"loss.weight", io::ElementType::f32, {0, 2}, {}});
  for (auto& array : state.arrays)
    if (array.name == "fc.bias") array.data = std::as_bytes(std::span(infinite));
  expect_parts(
      error_of<FormatError>([&] { import_model(state, kLstm); }),
      {"rnn.bias_hh_l0 has shape [4, 4], expected [16]", "loss.weight is not part of the model",
       "rnn.weight_ih_l0 has elements of type I32, expected floats",
       "fc.bias has a number that is not finite in f32: inf"});
}

TEST(ImportModel, AWrongTypeOrNameIsNamed) {
  expect_parts(error_of<FormatError>([] {
                 import_model(with_weights_of(lstm_spec()),
                              R"({"layers": [{"type": "gru", "name": "rnn", "readout": "last"},
                                             {"type": "linear", "name": "fc"}]})");
               }),
               {"rnn is of type lstm by its weight_hh_l0 of shape [16, 4], the architecture says "
                "gru; write \"type\": \"lstm\""});
  expect_parts(error_of<FormatError>([] {
                 import_model(with_weights_of(lstm_spec()),
                              R"({"layers": [{"type": "lstm", "name": "rn", "readout": "last"},
                                             {"type": "linear", "name": "rnn"}]})");
               }),
               {"layer 1: the file has no \"rn\".weight_ih_l0; layers with a weight_ih_l0: rnn; "
                "did you mean rnn?",
                "layer 2: the file has no \"rnn\".weight; layers with a weight: fc"});
  expect_parts(
      error_of<FormatError>([] {
        import_model(state_of({{"a.fc.weight", {2, 3}}, {"b.fc.weight", {3, 4}}}),
                     R"({"layers": [{"type": "linear", "name": "fc"}]})");
      }),
      {"layer 1: \"fc\" may be several layers of the file: a.fc, b.fc; write the full name"});
}

TEST(ImportModel, AMisspeltArchitectureIsNotCalledDamaged) {
  const auto refusal = [](const std::string& lstm, const std::string& more = "") {
    const std::string text = error_of<FormatError>([&] {
      import_model(with_weights_of(lstm_spec()),
                   fmt::format(R"({{"layers": [{{{}}}, {{"type": "linear", "name": "fc"}}]{}}})",
                               lstm, more),
                   "net.json");
    });
    EXPECT_EQ(text.find("damaged"), std::string::npos) << text;
    EXPECT_EQ(text.find("save the model"), std::string::npos) << text;
    EXPECT_NE(text.find("[import] net.json: "), std::string::npos) << text;
    return text;
  };
  const std::string good = R"("type": "lstm", "name": "rnn", "readout": "last")";
  expect_parts(refusal(good + R"(, "hiden_size": 3)"),
               {"layer 1 (rnn): \"hiden_size\" is not known, expected one of type, name,",
                "did you mean hidden_size?"});
  expect_parts(refusal(R"("type": "LSTM", "name": "rnn", "readout": "last")"),
               {"layer 1 (rnn): type \"LSTM\" is not known, expected one of rnn, lstm, gru,",
                "did you mean lstm?"});
  expect_parts(refusal(R"("type": "dropout")"),
               {"layer 1: type \"dropout\" is not known", "leave it out"});
  expect_parts(refusal(R"("type": "lstm", "name": "rnn", "readout": "last | mean")"),
               {"layer 1 (rnn): \"readout\": 'last | mean' is not known, expected one of last",
                "keep one of the choices"});
  expect_parts(refusal(good + R"(, "bias": 3)"),
               {"layer 1 (rnn): \"bias\" is 3, expected true or false"});
  expect_parts(refusal(good + R"(, "num_layers": -1)"), {"'num_layers' is -1"});
  expect_parts(refusal(good, R"(, "ouput": "values")"),
               {"\"ouput\" is not known", "did you mean output?"});
  expect_parts(refusal(good, R"(, "input": {"heigth": 3})"),
               {"input: \"heigth\" is not known", "did you mean height?"});
  expect_parts(refusal(good, R"(, "output": "value")"), {"\"output\": 'value' is not known"});
}

TEST(ImportModel, ErrorsNameTheWeightsFile) {
  StateDict state = with_weights_of(lstm_spec());
  state.name = "net.pt";
  state.arrays.erase(state.arrays.begin() + 3);  // rnn.bias_hh_l0
  expect_parts(error_of<FormatError>([&] { import_model(state, kLstm, "net.json"); }),
               {"[import] net.pt: the weights do not fit the model: "});
  std::erase_if(state.arrays, [](const auto& array) { return array.name.starts_with("fc."); });
  expect_parts(error_of<FormatError>([&] { import_model(state, kLstm, "net.json"); }),
               {"[import] net.json: layer 2: net.pt has no \"fc\".weight"});
}

TEST(ImportModel, TheFilesOrderComesFirstWhereSizesFit) {
  // Sorted by name, fc is before head. By size, either may be the first.
  const StateDict state = state_of({{"proj.weight", {8, 8}},
                                    {"rnn.weight_ih_l0", {32, 8}},
                                    {"rnn.weight_hh_l0", {32, 8}},
                                    {"head.weight", {8, 8}},
                                    {"fc.weight", {8, 8}}});
  try {
    import_model(state, std::nullopt);
    ADD_FAILURE() << "nothing was asked";
  } catch (const OpenQuestions& open) {
    expect_parts(open.what(), {"the order of the layers is a guess: the order in the file"});
    EXPECT_EQ(open.architecture(), R"({
  "layers": [
    {"type": "linear", "name": "proj", "bias": "false | an nn.Embedding can't be imported"},
    {"type": "lstm", "name": "rnn", "readout": "last | mean | max | mean_last | every_step"},
    {"type": "linear", "name": "head"},
    {"type": "activation", "function": "relu | tanh | sigmoid"},
    {"type": "linear", "name": "fc"}
  ]
}
)");
  }
}

TEST(ImportModel, ScaleAndResidualConnections) {
  const StateDict state = state_of({{"mean", {3}},
                                    {"rnn.weight_ih_l0", {3, 3}},
                                    {"rnn.weight_hh_l0", {3, 3}},
                                    {"fc.weight", {3, 3}}});
  const ImportedModel model =
      import_model(state, R"({"layers": [{"type": "scale", "mean": "mean", "std": 2},
                            {"type": "rnn", "name": "rnn", "nonlinearity": "tanh", "readout": "every_step"},
                            {"type": "residual"},
                            {"type": "linear", "name": "fc"},
                            {"type": "residual", "over": 3}], "output": "values"})");
  ASSERT_EQ(model.spec.layers.size(), 5u);
  EXPECT_EQ(std::get<spec::ScaleSpec>(model.spec.layers[0]), (spec::ScaleSpec{{0, 1, 2}, {2}}));
  EXPECT_EQ(std::get<spec::ResidualSpec>(model.spec.layers[2]).over, 1);
  EXPECT_EQ(std::get<spec::ResidualSpec>(model.spec.layers[4]).over, 3);
  EXPECT_EQ(model.spec.output, spec::Output::values);
  EXPECT_EQ(model.weights.size(), 3u);
}

TEST(ImportModel, ABareLayerAndACell) {
  const char* const text =
      R"({"layers": [{"type": "gru", "name": "encoder", "readout": "every_step"}]})";
  const ImportedModel bare =
      import_model(state_of({{"weight_ih_l0", {15, 2}}, {"weight_hh_l0", {15, 5}}}), text);
  EXPECT_EQ(bare.weights[0].name, "encoder.weight_ih_l0");
  const ImportedModel cell = import_model(
      state_of({{"x.encoder.weight_ih", {15, 2}}, {"x.encoder.weight_hh", {15, 5}}}), text);
  EXPECT_EQ(cell.weights[1].name, "encoder.weight_hh_l0");
}

TEST(Architecture, DamageIsRefused) {
  const StateDict state = with_weights_of(lstm_spec());
  const std::string good = kLstm;
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW(import_model(state, std::string_view(good).substr(0, size)), FormatError) << size;
  for (const char* bad :
       {"[]", "{}", "null", "{\"layers\": 3}", "{\"layers\": []}", "{\"layers\": [3]}",
        "{\"layers\": [{}]}", R"({"layers": [{"type": 3}]})", R"({"layers": [{"type": "lstm"}]})",
        R"({"layers": [{"type": "transformer"}]})", R"({"layers": [{"type": "residual"}]})",
        R"({"layers": [{"type": "scale", "mean": "none"}]})",
        R"({"layers": [{"type": "scale", "mean": {}}]})",
        R"({"layers": [{"type": "linear", "name": "fc", "surprise": 1}]})",
        R"({"layers": [{"type": "linear", "name": "fc"}], "surprise": 1})",
        R"({"layers": [{"type": "linear", "name": "fc"}], "input": 1})",
        R"({"layers": [{"type": "linear", "name": "fc", "name": "fc"}]})",
        R"({"layers": [{"type": "linear", "name": "fc"}, {"type": "linear", "name": "fc"}]})"})
    EXPECT_THROW(import_model(state, bad), FormatError) << bad;
  EXPECT_THROW(import_model(state, std::string(100'000, '[')), FormatError);
  EXPECT_THROW(import_model(state, std::string(2 << 20, ' ')), FormatError);
  std::string bad = good;
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      try {
        import_model(state, bad);
      } catch (const Error&) {
      }
      bad[i] = good[i];
    }
}

}  // namespace
}  // namespace unroll::importer
