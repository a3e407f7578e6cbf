// The models that infer's tests go through.
#pragma once

#include <string>
#include <vector>

#include "support/specs.h"

namespace unroll::infer {

struct Named {
  std::string name;
  spec::ModelSpec spec;
};

inline void PrintTo(const Named& named, std::ostream* out) { *out << named.name; }

/// Recurrent models of 5 inputs and 3 outputs, with everything that one may have.
inline std::vector<Named> recurrent_models() {
  using enum spec::Cell;
  using spec::Readout;
  constexpr auto tanh = Nonlinearity::tanh;
  std::vector<Named> all;
  const auto add = [&](const char* name, spec::RecurrentSpec r) {
    r.input_size = 5;
    if (r.hidden_size == 0) r.hidden_size = 13;
    all.push_back({name, test::recurrent_spec(r, 3)});
  };
  add("RnnRelu", {});
  add("RnnTanh3", {.nonlinearity = tanh, .num_layers = 3});
  add("RnnNoBias2", {.num_layers = 2, .bias = false});
  add("RnnNorm", {.nonlinearity = tanh, .layer_norm = true});
  add("RnnZoneout", {.zoneout_h = 0.25, .readout = Readout::mean_last});
  add("RnnBoth", {.nonlinearity = tanh, .bidirectional = true});
  add("Lstm", {.cell = lstm});
  add("Lstm2Mean", {.cell = lstm, .num_layers = 2, .readout = Readout::mean});
  add("LstmEveryStep", {.cell = lstm, .readout = Readout::every_step});
  add("LstmAll", {.cell = lstm,
                  .num_layers = 2,
                  .proj_size = 6,
                  .layer_norm = true,
                  .zoneout_h = 0.1,
                  .zoneout_c = 0.3,
                  .learn_initial_state = true,
                  .readout = Readout::max});
  add("LstmBothProj", {.cell = lstm,
                       .num_layers = 2,
                       .proj_size = 4,
                       .bidirectional = true,
                       .learn_initial_state = true,
                       .readout = Readout::mean_last});
  add("Gru", {.cell = gru});
  add("Gru3EveryStep", {.cell = gru, .num_layers = 3, .readout = Readout::every_step});
  add("GruMaxNorm", {.cell = gru, .layer_norm = true, .readout = Readout::max});
  add("GruLearnt2", {.cell = gru, .num_layers = 2, .learn_initial_state = true});
  add("GruBothEveryStep", {.cell = gru, .bidirectional = true, .readout = Readout::every_step});

  // Layers below, between and above.
  spec::ModelSpec mixed;
  mixed.input = spec::SeriesInput{.features = 5};
  mixed.layers = {spec::LinearSpec{"embedding", 5, 9},
                  spec::ActivationSpec{spec::Activation::relu},
                  spec::RecurrentSpec{.name = "lower",
                                      .cell = gru,
                                      .input_size = 9,
                                      .hidden_size = 7,
                                      .readout = Readout::every_step},
                  spec::ActivationSpec{spec::Activation::sigmoid},
                  spec::RecurrentSpec{.name = "upper",
                                      .cell = lstm,
                                      .input_size = 7,
                                      .hidden_size = 11,
                                      .num_layers = 2,
                                      .readout = Readout::mean_last},
                  spec::LinearSpec{"hidden", 22, 8, false},
                  spec::ActivationSpec{spec::Activation::tanh},
                  spec::LinearSpec{"fc", 8, 3}};
  all.push_back({"Mixed", mixed});

  // Convolutions over steps, which change the number of steps.
  spec::ModelSpec front;
  front.input = spec::SeriesInput{.features = 5, .mean = {0, 1, 2, 3, 4}, .std = {1, 2, 1, 2, 1}};
  front.layers = {spec::Conv1dSpec{.name = "conv",
                                   .in_channels = 5,
                                   .out_channels = 8,
                                   .windows = {.kernel = 5, .stride = 3, .causal = true}},
                  spec::ActivationSpec{spec::Activation::relu},
                  spec::RecurrentSpec{.name = "lstm",
                                      .cell = lstm,
                                      .input_size = 8,
                                      .hidden_size = 7,
                                      .readout = Readout::mean_last},
                  spec::LinearSpec{"fc", 14, 3}};
  all.push_back({"ConvStride", front});
  std::get<spec::Conv1dSpec>(front.layers[0]).windows = {.kernel = 4, .stride = 2, .padding = 3};
  std::get<spec::RecurrentSpec>(front.layers[2]).bidirectional = true;
  std::get<spec::LinearSpec>(front.layers[3]).in_features = 28;
  all.push_back({"ConvBoth", front});
  spec::ModelSpec two;
  two.input = spec::SeriesInput{.features = 5};
  two.layers = {
      spec::ActivationSpec{spec::Activation::symlog},
      spec::Conv1dSpec{.name = "one",
                       .in_channels = 5,
                       .out_channels = 6,
                       .windows = {.kernel = 3, .stride = 2, .causal = true}},
      spec::RecurrentSpec{
          .name = "lower", .input_size = 6, .hidden_size = 6, .readout = Readout::every_step},
      spec::Conv1dSpec{.name = "two",
                       .in_channels = 6,
                       .out_channels = 9,
                       .windows = {.kernel = 2, .stride = 2, .dilation = 2, .causal = true},
                       .groups = 3,
                       .bias = false},
      spec::RecurrentSpec{.name = "upper",
                          .cell = gru,
                          .input_size = 9,
                          .hidden_size = 4,
                          .learn_initial_state = true,
                          .readout = Readout::max},
      spec::LinearSpec{"fc", 4, 3}};
  all.push_back({"ConvTwice", two});
  // Numbers in and out in their own units, as a regression of series has them.
  spec::ModelSpec values;
  values.input = spec::SeriesInput{.features = 5, .mean = {0, 1, 2, 3, 4}, .std = {1, 2, 1, 2, 1}};
  values.output = spec::Output::values;
  for (const bool every_step : {false, true}) {
    values.layers = {
        spec::ActivationSpec{spec::Activation::symlog},
        spec::Conv1dSpec{.name = "conv",
                         .in_channels = 5,
                         .out_channels = 6,
                         .windows = {.kernel = 4, .dilation = 2, .causal = true}},
        spec::ActivationSpec{spec::Activation::tanh},
        spec::RecurrentSpec{.name = "gru",
                            .cell = gru,
                            .input_size = 6,
                            .hidden_size = 7,
                            .readout = every_step ? Readout::every_step : Readout::mean_last},
        spec::LinearSpec{"fc", every_step ? 7 : 14, 3},
        spec::ScaleSpec{{-2, 0.5, 3}, {0.5, 4, 0.25}}};
    all.push_back({every_step ? "ValuesEveryStep" : "Values", values});
  }
  return all;
}

inline bool is_bidirectional(const spec::ModelSpec& spec) {
  for (const auto& layer : spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer); r && r->bidirectional)
      return true;
  return false;
}

inline bool gives_sequences(const spec::ModelSpec& spec) {
  return spec::features_of(spec).back().kind == spec::Features::Kind::sequence;
}

/// Models of images of 9 x 8, and of vectors of 72, to 3 outputs.
inline std::vector<Named> image_models() {
  std::vector<Named> all(4);
  all[0].name = "Logistic";
  all[0].spec.input = spec::ImageInput{.form = spec::Form::flat, .height = 9, .width = 8};
  all[0].spec.layers = {spec::LinearSpec{"linear", 72, 3}};
  all[1].name = "Perceptron";
  all[1].spec.input = all[0].spec.input;
  all[1].spec.layers = {
      spec::LinearSpec{"fc1", 72, 20}, spec::ActivationSpec{spec::Activation::sigmoid},
      spec::LinearSpec{"fc2", 20, 30}, spec::ActivationSpec{spec::Activation::tanh},
      spec::LinearSpec{"fc3", 30, 3}};
  all[2].name = "Convolutions";
  all[2].spec.input = spec::ImageInput{.form = spec::Form::image, .height = 9, .width = 8};
  all[2].spec.layers = {
      spec::Conv2dSpec{
          .name = "cnn1", .in_channels = 1, .out_channels = 4, .kernel = {5, 5}, .padding = {2, 2}},
      spec::ActivationSpec{spec::Activation::relu},
      spec::MaxPool2dSpec{.kernel = {2, 2}, .stride = {2, 2}},
      spec::Conv2dSpec{.name = "cnn2",
                       .in_channels = 4,
                       .out_channels = 6,
                       .kernel = {3, 2},
                       .stride = {2, 1},
                       .padding = {1, 0},
                       .bias = false},
      spec::MaxPool2dSpec{.kernel = {2, 3}, .stride = {1, 1}, .padding = {1, 1}},
      spec::FlattenSpec{},
      spec::LinearSpec{"fc", 6 * 3 * 3, 3}};
  all[3].name = "FlattenedImage";
  all[3].spec.input = all[2].spec.input;
  all[3].spec.layers = {spec::ActivationSpec{spec::Activation::relu}, spec::FlattenSpec{},
                        spec::LinearSpec{"fc", 72, 3}};
  return all;
}

}  // namespace unroll::infer
