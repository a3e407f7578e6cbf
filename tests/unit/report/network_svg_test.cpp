// Pictures of models: parameters, shapes, states that the head reads, and hostile names.
#include "report/network_svg.h"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <sstream>

#include "signature/models.h"
#include "support/everything.h"
#include "support/specs.h"
#include "unit/report/svg_elements.h"

namespace unroll::report {
namespace {

using spec::Readout;
using test::chosen;
using test::svg_elements;
using test::SvgElement;
using test::texts_saying;
using Elements = std::vector<SvgElement>;

Elements drawn(const spec::ModelSpec& spec) { return svg_elements(network_svg(spec)); }

/// The number that a text starts with: 14010 for "14,010 parameters".
std::int64_t number_in(std::string text) {
  std::erase(text, ',');
  return std::stoll(text);
}

/// The sum of all numbers of parameters in boxes.
std::int64_t parameters_in(const Elements& all) {
  std::int64_t sum = 0;
  for (const SvgElement& text : chosen(all, "text", "count")) sum += number_in(text.text);
  return sum;
}

std::int64_t parameters_of(const spec::ModelSpec& spec) {
  std::int64_t sum = 0;
  for (const auto& [name, shape] : spec::weights_of(spec)) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    sum += count;
  }
  return sum;
}

std::set<std::string> labels_of(const Elements& all) {
  std::set<std::string> labels;
  for (const SvgElement& text : chosen(all, "text", "label")) labels.insert(text.text);
  return labels;
}

/// Where the text stands that is there once.
double x_of(const Elements& all, std::string_view text) {
  const Elements found = texts_saying(all, text);
  EXPECT_EQ(found.size(), 1u) << text;
  return found.empty() ? NAN : found.front().number("x");
}

std::vector<double> path_numbers(const SvgElement& path) {
  std::vector<double> numbers;
  std::istringstream words(path.attributes.at("d"));
  for (std::string word; words >> word;)
    if (word != "M" && word != "z") numbers.push_back(std::stod(word));
  return numbers;
}

/// Arrows whose head points to the left (-1) or to the right (1).
int arrows_to(const Elements& all, int way) {
  int count = 0;
  for (const SvgElement& head : chosen(all, "path", "heads")) {
    const std::vector<double> p = path_numbers(head);  // the tip, then the two corners
    count += p[2] == p[4] && (p[0] - p[2]) * way > 0 ? 1 : 0;
  }
  return count;
}

/// The description of a model of the signature.
spec::ModelSpec description_of(const signature::Setup& s) {
  spec::ModelSpec spec;
  spec.input = spec::SeriesInput{s.inputs, s.steps};
  spec::RecurrentSpec r{.cell = s.cell,
                        .nonlinearity = s.nonlinearity,
                        .input_size = s.inputs,
                        .hidden_size = s.hidden,
                        .num_layers = s.layers,
                        .proj_size = s.projection,
                        .bidirectional = s.bidirectional,
                        .bias = s.bias,
                        .layer_norm = s.layer_norm,
                        .learn_initial_state = s.regularised};
  const std::int64_t half = s.hidden / 2;
  const auto linear = [](std::string name, std::int64_t in, std::int64_t out) {
    return spec::LinearSpec{std::move(name), in, out};
  };
  switch (s.kind) {
    case signature::Kind::family:
      r.readout = Readout::mean_last;
      [[fallthrough]];
    case signature::Kind::recurrent:
      spec.layers = {r, linear("fc", r.features(), 10)};
      break;
    case signature::Kind::every_step:
      r.input_size = half;
      r.readout = Readout::every_step;
      spec.layers = {linear("embedding", s.inputs, half), r, linear("fc", s.hidden, 10)};
      break;
    case signature::Kind::tokens:
      r.input_size = half;
      spec.input = spec::TokenInput{.tokens = 16, .steps = s.steps};
      spec.layers = {spec::EmbeddingSpec{"embedding", 16, half}, spec::LayerNormSpec{"norm", half},
                     r, linear("fc", s.hidden, 10)};
      break;
    case signature::Kind::perceptron:
      spec.input = spec::VectorInput{s.steps * s.inputs};
      spec.layers = {linear("in", s.steps * s.inputs, s.hidden), spec::ActivationSpec{},
                     linear("middle", s.hidden, s.hidden),
                     spec::ActivationSpec{spec::Activation::tanh}, linear("out", s.hidden, 10)};
      break;
    case signature::Kind::step_convolutional:
      r.input_size = 18;
      spec.layers = {
          spec::ActivationSpec{spec::Activation::symlog},
          spec::Conv1dSpec{"first", s.inputs, 6, {.kernel = 3, .padding = 2, .dilation = 2}},
          spec::ActivationSpec{},
          spec::Conv1dSpec{"second", 6, 18, {.kernel = 3, .stride = 2, .causal = true}, 2},
          spec::ActivationSpec{},
          r,
          linear("fc", s.hidden, 10)};
      break;
    case signature::Kind::convolutional: {
      const std::int64_t places = s.hidden * ((s.steps / 2 + 1) / 2) * (s.inputs / 2);
      spec.input = spec::ImageInput{spec::Form::image, s.steps, s.inputs};
      spec.layers = {spec::Conv2dSpec{"first", 1, 6, {5, 3}, {1, 1}, {2, 1}},
                     spec::ActivationSpec{},
                     spec::MaxPool2dSpec{{2, 2}, {2, 2}},
                     spec::Conv2dSpec{"second", 6, s.hidden, {3, 3}, {2, 1}, {1, 1}},
                     spec::FlattenSpec{},
                     spec::LayerNormSpec{"norm", places},
                     spec::ActivationSpec{spec::Activation::sigmoid},
                     linear("fc", places, 10)};
      break;
    }
  }
  return spec;
}

std::int64_t size_of(signature::Network& network) {
  std::int64_t count = 0;
  for (const Parameter& p : network.parameters()) count += p.value.numel();
  return count;
}

// The network that the signature trains has as many parameters as the boxes say.
TEST(NetworkSvg, CountsTheParametersOfEveryModelOfTheSignature) {
  for (const signature::Setup& setup : signature::setups()) {
    SCOPED_TRACE(std::string(setup.name));
    const spec::ModelSpec spec = description_of(setup);
    const Elements all = drawn(spec);
    Generator generator(0);
    const std::int64_t count = size_of(*signature::make_network(setup, generator));
    EXPECT_EQ(parameters_in(all), count);
    EXPECT_EQ(parameters_of(spec), count);
    const auto labels = labels_of(all);
    EXPECT_TRUE(labels.contains("10"));
    EXPECT_EQ(arrows_to(all, -1) > 0, setup.bidirectional);
    if (!spec::is_sequence(spec.input)) {
      EXPECT_EQ(arrows_to(all, 1), 0);
      continue;
    }
    EXPECT_TRUE(labels.contains(
        setup.kind == signature::Kind::tokens ? "0 to 15" : std::to_string(setup.inputs)));
    EXPECT_TRUE(labels.contains(
        fmt::format("h {}", setup.projection > 0 ? setup.projection : setup.hidden)));
    EXPECT_EQ(labels.contains(fmt::format("c {}", setup.hidden)), setup.cell == spec::Cell::lstm);
  }
}

// The numbers of PyTorch's tutorial.
TEST(NetworkSvg, DrawsTheTutorialsNetwork) {
  spec::ModelSpec spec = test::rnn_spec(28, 100, 10);
  spec.input = spec::ImageInput{.height = 28, .width = 28};
  const Elements all = drawn(spec);
  EXPECT_EQ(chosen(all, "rect", "recurrent").size(), 4u);        // steps 1, 2, 3 and 28
  EXPECT_EQ(texts_saying(all, "13,000 parameters").size(), 1u);  // 100 (28 + 100) + 2 100
  EXPECT_EQ(texts_saying(all, "same parameters").size(), 3u);
  EXPECT_EQ(texts_saying(all, "1,010 parameters").size(), 1u);
  EXPECT_EQ(texts_saying(all, "14,010 parameters; all 28 steps share them").size(), 1u);
  EXPECT_EQ(texts_saying(all, "28").size(), 4u);
  EXPECT_EQ(texts_saying(all, "h 100").size(), 3u);
  EXPECT_EQ(texts_saying(all, "0").size(), 1u);  // the initial state
  for (const char* row : {"row 1", "row 2", "row 3"}) EXPECT_LT(x_of(all, row), x_of(all, "fc"));
  EXPECT_EQ(x_of(all, "fc"), x_of(all, "row 28"));  // the head reads the last state
  EXPECT_EQ(all.front().attributes.at("role"), "img");
  EXPECT_EQ(chosen(all, "title").front().text,
            "A network of 14,010 parameters; all 28 steps share them");
  EXPECT_NE(chosen(all, "desc").front().text.find("rnn, RNN, ReLU, 100 units, 13,000 parameters"),
            std::string::npos);
}

TEST(NetworkSvg, DrawsModelsWithoutTimeAsAChain) {
  spec::ModelSpec spec;
  spec.input = spec::ImageInput{spec::Form::image, 13, 11};
  spec.layers = {spec::Conv2dSpec{.name = "conv",
                                  .in_channels = 1,
                                  .out_channels = 4,
                                  .kernel = {5, 5},
                                  .stride = {2, 1},
                                  .padding = {2, 2}},
                 spec::ActivationSpec{spec::Activation::tanh}, spec::MaxPool2dSpec{{2, 2}, {2, 2}},
                 spec::FlattenSpec{}, spec::LinearSpec{"fc", 60, 3, false}};
  const Elements all = drawn(spec);
  // (13 + 4 - 5) / 2 + 1 = 7 rows and 11 columns, halved by the pooling.
  EXPECT_EQ(labels_of(all),
            (std::set<std::string>{"1 × 13 × 11", "4 × 7 × 11", "4 × 3 × 5", "60", "3"}));
  EXPECT_EQ(parameters_in(all), 4 * 25 + 4 + 180);
  EXPECT_EQ(arrows_to(all, 1), 0);
  for (const char* text : {"convolution 5 × 5", "stride 2 × 1", "padding 2 × 2", "tanh",
                           "max pooling 2 × 2", "flatten", "3 logits"})
    EXPECT_EQ(texts_saying(all, text).size(), 1u) << text;
}

TEST(NetworkSvg, DrawsTheStatesThatTheHeadReads) {
  for (const bool both : {false, true})
    for (const Readout readout :
         {Readout::last, Readout::mean, Readout::max, Readout::mean_last, Readout::every_step}) {
      SCOPED_TRACE(fmt::format("{} {}", spec::name_of(readout), both));
      spec::ModelSpec spec = test::recurrent_spec(
          {.input_size = 3, .hidden_size = 7, .bidirectional = both, .readout = readout}, 2);
      spec.input = spec::SeriesInput{3, 9};
      const Elements all = drawn(spec);
      EXPECT_EQ(texts_saying(all, "mean of states").size(),
                readout == Readout::mean || readout == Readout::mean_last ? 1u : 0u);
      EXPECT_EQ(texts_saying(all, "maximum of states").size(), readout == Readout::max ? 1u : 0u);
      EXPECT_EQ(texts_saying(all, "mean and last state").size(),
                readout == Readout::mean_last ? 1u : 0u);
      EXPECT_EQ(texts_saying(all, "last states").size(),
                readout == Readout::last && both ? 1u : 0u);
      EXPECT_EQ(texts_saying(all, "fc").size(), readout == Readout::every_step ? 4u : 1u);
      // What the head reads has features() numbers.
      EXPECT_TRUE(labels_of(all).contains(
          std::to_string((both ? 14 : 7) * (readout == Readout::mean_last ? 2 : 1))));
      EXPECT_EQ(arrows_to(all, 1), 5);  // to each of four steps, and to the ellipsis
      EXPECT_EQ(arrows_to(all, -1), both ? 5 : 0);
      if (readout == Readout::every_step) continue;
      // Lines up from the states: from all steps, or from the ends. And one up to the head.
      const std::size_t states = readout == Readout::last ? (both ? 2 : 0) : both ? 8 : 4;
      EXPECT_EQ(texts_saying(all, "7").size(),
                states + (!both && readout != Readout::mean_last ? 1 : 0));
    }
}

TEST(NetworkSvg, DrawsAnyNumberOfSteps) {
  for (const std::int64_t steps : {0, 1, 2, 3, 4, 5, 1000000}) {
    SCOPED_TRACE(steps);
    for (const Readout readout : {Readout::last, Readout::mean_last, Readout::every_step}) {
      spec::ModelSpec spec = test::recurrent_spec({.cell = spec::Cell::lstm,
                                                   .input_size = 3,
                                                   .hidden_size = 4,
                                                   .bidirectional = true,
                                                   .readout = readout},
                                                  2);
      spec.input = spec::SeriesInput{3, steps};
      const Elements all = drawn(spec);
      const auto columns =
          static_cast<std::size_t>(steps == 0 ? 4 : std::min<std::int64_t>(steps, 4));
      EXPECT_EQ(chosen(all, "rect", "recurrent").size(), 2 * columns);
      EXPECT_EQ(texts_saying(all, "· · ·").empty(), steps > 0 && steps < 5);
      EXPECT_EQ(texts_saying(all, steps == 0 ? "last step" : fmt::format("step {}", steps)).size(),
                1u);
      EXPECT_EQ(parameters_in(all), parameters_of(spec));
    }
  }
}

TEST(NetworkSvg, DrawsEveryLayer) {
  for (const Readout readout : {Readout::last, Readout::mean_last, Readout::every_step}) {
    const spec::ModelSpec spec = test::everything_spec(readout);
    const Elements all = drawn(spec);
    EXPECT_EQ(parameters_in(all), parameters_of(spec));
    for (const char* name : {"embedding", "norm", "lower", "between", "upper", "head", "bare"})
      EXPECT_GE(texts_saying(all, name).size(), 1u) << name;
    for (const char* text : {"scale", "tanh", "sigmoid", "+", "layer normalisation"})
      EXPECT_GE(texts_saying(all, text).size(), 1u) << text;
    EXPECT_EQ(labels_of(all).count("0 to 6"), 1u);
  }
}

TEST(NetworkSvg, SaysOneOutputInTheSingular) {
  spec::ModelSpec spec = test::rnn_spec(3, 5, 1);
  const std::pair<spec::Output, const char*> outputs[] = {{spec::Output::logits, "1 logit"},
                                                          {spec::Output::scores, "1 score"},
                                                          {spec::Output::values, "1 value"}};
  for (const auto& [output, text] : outputs) {
    spec.output = output;
    const Elements all = drawn(spec);
    EXPECT_EQ(texts_saying(all, text).size(), 1u) << text;
    EXPECT_TRUE(chosen(all, "desc").front().text.ends_with(fmt::format(": {}.", text)));
  }
}

TEST(NetworkSvg, ANameThatIsTheKindStandsOnce) {
  spec::ModelSpec spec;
  spec.input = spec::VectorInput{784};
  spec.layers = {spec::LinearSpec{"linear", 784, 10}};
  const Elements all = drawn(spec);
  EXPECT_EQ(texts_saying(all, "linear").size(), 1u);
  EXPECT_NE(chosen(all, "desc").front().text.find(" linear, 7,850 parameters."), std::string::npos);
  std::get<spec::LinearSpec>(spec.layers[0]).name = "fc";
  EXPECT_EQ(texts_saying(drawn(spec), "linear").size(), 1u);
  EXPECT_EQ(texts_saying(drawn(spec), "fc").size(), 1u);
}

TEST(NetworkSvg, DeepStacksShareABox) {
  const spec::ModelSpec spec = test::rnn_spec(3, 5, 2, 1024);
  const std::string svg = network_svg(spec);
  EXPECT_LT(svg.size(), 30'000u);
  const Elements all = svg_elements(svg);
  EXPECT_EQ(parameters_in(all), parameters_of(spec));
  EXPECT_EQ(texts_saying(all, "layers 3 to 1023").size(), 4u);
}

TEST(NetworkSvg, SaysWhenTheActivationIsUnknown) {
  const auto spec = test::rnn_spec(3, 5, 2);
  EXPECT_EQ(texts_saying(svg_elements(network_svg(spec, false)), "RNN, ReLU or tanh").size(), 4u);
}

TEST(NetworkSvg, HostileNamesStayText) {
  for (const std::string name :
       {"<script>alert()</script>", "a&b\"c'd]]>", "\xef\xbf\xbe\xef\xbf\xbf", "\xff\xfe",
        "\xe2\x80\xae", "&#0;", "ein sehr langer Name für eine Schicht"}) {
    SCOPED_TRACE(name);
    spec::ModelSpec spec = test::rnn_spec(3, 5, 2);
    std::get<spec::RecurrentSpec>(spec.layers[0]).name = name;
    std::get<spec::LinearSpec>(spec.layers[1]).name = name + "2";
    const Elements all = drawn(spec);
    EXPECT_TRUE(chosen(all, "script").empty());
    EXPECT_EQ(parameters_in(all), parameters_of(spec));
  }
  spec::ModelSpec spec = test::rnn_spec(3, 5, 2);
  std::get<spec::LinearSpec>(spec.layers[1]).name = "<b>&amp;";
  EXPECT_EQ(texts_saying(drawn(spec), "<b>&amp;").size(), 1u);
}

// Inside a page, the style must not reach other elements.
TEST(NetworkSvg, TheStyleIsForThePictureAlone) {
  const Elements all = drawn(test::rnn_spec(3, 5, 2));
  std::istringstream style(chosen(all, "style").front().text);
  int rules = 0;
  for (std::string line; std::getline(style, line);)
    if (line.find('{') != std::string::npos && !line.starts_with("@media")) {
      ++rules;
      EXPECT_TRUE(line.starts_with(".unroll-network ")) << line;
    }
  EXPECT_GE(rules, 10);
  EXPECT_EQ(all.front().attributes.at("class"), "unroll-network");
}

TEST(NetworkSvg, IsTheSameEveryTime) {
  EXPECT_EQ(network_svg(test::everything_spec()), network_svg(test::everything_spec()));
}

}  // namespace
}  // namespace unroll::report
