#include "train/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "spec/cells.h"
#include "train/batch.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

std::int64_t product_of(const spec::Sizes& sizes) {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) product *= size;
  return product;
}

/// The count of numbers that the backward pass needs for one sample.
std::int64_t kept_of(const spec::ModelSpec& spec, std::int64_t steps) {
  const auto features = spec::features_of(spec);
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const auto* r = std::get_if<spec::RecurrentSpec>(&spec.layers[i]);
    const std::int64_t own =
        r ? r->num_layers * r->directions() * r->hidden_size * (r->gates() > 1 ? r->gates() + 2 : 1)
          : 0;
    const bool convolution = std::holds_alternative<spec::Conv1dSpec>(spec.layers[i]);
    kept += r             ? own * (steps + 1)
            : convolution ? steps * (features[i].size() + features[i + 1].size())
                          : features[i + 1].size();
  }
  return kept;
}

/// Without a validation part nothing else stops a run, and 2000 steps over 40 series would be 1000
/// epochs: the model knows the series by heart long before.
std::int64_t steps_for(const data::Source& source, std::int64_t batch_size) {
  constexpr std::int64_t kSteps = 2000, kEpochs = 200;
  if (source.size(data::Split::validation) > 0) return kSteps;
  const std::int64_t series = source.size(data::Split::train);
  return std::min(kSteps, kEpochs * ((series + batch_size - 1) / batch_size));
}

void add_recurrent(spec::ModelSpec& spec, const Config& config, const data::TargetSpec& target) {
  spec::RecurrentSpec r;
  r.cell = spec::cell_named(name_of(config.model));
  r.name = spec::name_of(r.cell);
  r.nonlinearity =
      config.activation == spec::Activation::tanh && spec::info_of(r).has_nonlinearity()
          ? Nonlinearity::tanh
          : Nonlinearity::relu;
  const spec::Features input = spec::features_of(spec.input);
  const bool tokens = input.kind == spec::Features::Kind::tokens;
  const std::int64_t embedding = config.embedding > 0 ? config.embedding : config.hidden;
  r.input_size = tokens ? embedding : input.width;
  r.hidden_size = config.hidden;
  r.num_layers = config.layers;
  r.proj_size = config.proj_size;
  r.bidirectional = config.bidirectional;
  r.layer_norm = config.layer_norm;
  r.zoneout_h = config.zoneout_h;
  r.zoneout_c = config.zoneout_c;
  r.learn_initial_state = config.learn_initial_state;
  r.readout = target.every_step() ? spec::Readout::every_step : config.readout;
  if (tokens) spec.layers.emplace_back(spec::EmbeddingSpec{"embedding", input.width, embedding});
  if (config.conv_channels > 0) {
    if (config.conv_stride > 1 && target.every_step())
      throw ValueError("conv-stride", fmt::format("{}, expected 1: the data has an answer at every "
                                                  "time step",
                                                  config.conv_stride));
    spec.layers.emplace_back(spec::Conv1dSpec{
        .name = "conv",
        .in_channels = r.input_size,
        .out_channels = config.conv_channels,
        .windows = {.kernel = config.conv_kernel, .stride = config.conv_stride, .causal = true}});
    spec.layers.emplace_back(spec::ActivationSpec{spec::Activation::relu});
    r.input_size = config.conv_channels;
  }
  spec.layers.emplace_back(r);
  spec.layers.emplace_back(spec::LinearSpec{"fc", r.features(), target.size});
}

/// Begins with the logarithm of the input. The scaling comes after it, because its numbers are
/// those of the logarithms.
void add_logarithm(spec::ModelSpec& spec) {
  auto* series = std::get_if<spec::SeriesInput>(&spec.input);
  if (!series) throw ValueError("log", "the data has no numbers to take the logarithm of");
  if (spec::has_scaling(spec.input))
    spec.layers.insert(spec.layers.begin(), spec::ScaleSpec{series->mean, series->std});
  series->mean = series->std = {};
  spec.layers.insert(spec.layers.begin(), spec::ActivationSpec{spec::Activation::symlog});
}

/// Turns values of mean 0 and standard deviation 1 into values with those of the training targets:
/// y = std x + mean.
void add_output_scale(spec::ModelSpec& spec, const data::TargetSpec& target) {
  spec::ScaleSpec scale{{}, {}};
  for (std::size_t i = 0; i < target.mean.size(); ++i) {
    scale.mean.push_back(-target.mean[i] / target.std[i]);
    scale.std.push_back(1 / target.std[i]);
  }
  spec.layers.emplace_back(std::move(scale));
}

/// fc1, fc2, ... with activations between them.
void add_perceptron(spec::ModelSpec& spec, const Config& config, std::int64_t classes) {
  std::int64_t features = spec::features_of(spec.input).width;
  for (std::int64_t l = 1; l <= config.layers; ++l) {
    spec.layers.emplace_back(spec::LinearSpec{fmt::format("fc{}", l), features, config.hidden});
    spec.layers.emplace_back(spec::ActivationSpec{config.activation});
    features = config.hidden;
  }
  spec.layers.emplace_back(
      spec::LinearSpec{fmt::format("fc{}", config.layers + 1), features, classes});
}

/// Convolutions of 5 x 5 that keep the size, each followed by pooling that halves it.
void add_convolutions(spec::ModelSpec& spec, const Config& config, std::int64_t classes) {
  std::int64_t channels = 1, next = config.hidden;
  for (std::int64_t l = 1; l <= config.layers; ++l) {
    spec.layers.emplace_back(spec::Conv2dSpec{.name = fmt::format("cnn{}", l),
                                              .in_channels = channels,
                                              .out_channels = next,
                                              .kernel = {5, 5},
                                              .stride = {1, 1},
                                              .padding = {2, 2}});
    spec.layers.emplace_back(spec::ActivationSpec{config.activation});
    spec.layers.emplace_back(spec::MaxPool2dSpec{.kernel = {2, 2}, .stride = {2, 2}});
    channels = next;
    next *= 2;
  }
  spec.layers.emplace_back(spec::FlattenSpec{});
  const spec::Features image = spec::features_of(spec.input);
  std::int64_t height = image.height, width = image.width;
  for (std::int64_t l = 0; l < config.layers; ++l) {
    height /= 2;
    width /= 2;
  }
  if (height < 1 || width < 1)
    throw ValueError(
        "layers",
        fmt::format(
            "{} of --layers shrink images of {}x{} to nothing, because each halves them; {}",
            config.layers, image.height, image.width,
            std::min(image.height, image.width) > 1 ? "use fewer, such as --layers 1"
                                                    : "use another --model"));
  spec.layers.emplace_back(spec::LinearSpec{"fc1", channels * height * width, classes});
}

/// Refuses a kind of model that can't read this kind of input.
void check_reads(const Config& config, const spec::Features& input) {
  using Kind = spec::Features::Kind;
  const bool images = input.kind == Kind::image;
  if (input.is_sequence() != is_recurrent(config.model) ||
      images != (config.model == ModelKind::cnn))
    throw ValueError("model",
                     fmt::format("{}, expected {}", name_of(config.model),
                                 input.is_sequence() ? spec::cell_names() + " for sequences"
                                 : images            ? "cnn for images"
                                                     : "logistic, linear or fnn for vectors"));
}

}  // namespace

spec::ModelSpec describe(const Config& config, const spec::InputSpec& input,
                         const data::TargetSpec& target) {
  validate(config);
  spec::ModelSpec spec;
  spec.input = input;
  const spec::Features features = spec::features_of(input);
  check_reads(config, features);
  const bool values = target.has_values();
  if (values) spec.output = spec::Output::values;
  switch (config.model) {
    case ModelKind::linear:
      if (!values) spec.output = spec::Output::scores;
      [[fallthrough]];
    case ModelKind::logistic:
      spec.layers = {spec::LinearSpec{"linear", features.width, target.size}};
      break;
    case ModelKind::fnn:
      add_perceptron(spec, config, target.size);
      break;
    case ModelKind::cnn:
      add_convolutions(spec, config, target.size);
      break;
    default:  // a recurrent model, named after its cell
      add_recurrent(spec, config, target);
      break;
  }
  if (config.log) add_logarithm(spec);
  if (values && !target.mean.empty()) add_output_scale(spec, target);
  spec.classes = target.names;
  return spec;
}

spec::ModelSpec describe(const Config& config, const data::Source& source) {
  spec::ModelSpec spec = describe(config, source.input(), source.target());
  spec.dataset = source.name();
  spec.table = source.table();
  check_memory(spec, config, source);
  return spec;
}

void check_memory(const spec::ModelSpec& spec, const Config& config, const data::Source& source) {
  constexpr std::int64_t kMostStates = std::int64_t{1} << 30, kMostWeights = std::int64_t{1} << 28;
  const std::int64_t batch =
      rows_at_once(config, std::min(config.batch_size, source.size(data::Split::train)));
  const auto lengths = source.lengths(data::Split::train);
  std::int64_t steps = lengths.empty() ? spec::steps_of(source.input()) : std::ranges::max(lengths);
  if (config.tbptt > 0) steps = std::min(steps, config.tbptt);
  if (batch > kMostStates / kept_of(spec, steps))
    throw ValueError("batch-size",
                     fmt::format("{} {} at once, for {} hidden units in {} layers, need more "
                                 "than {} states; use a smaller batch, a smaller "
                                 "--rows-at-once, or more --shards",
                                 batch, spec::pixels_of(spec.input) ? "images" : "sequences",
                                 config.hidden, config.layers, kMostStates));
  std::int64_t weights = 0;
  for (const auto& [name, sizes] : spec::weights_of(spec)) weights += product_of(sizes);
  if (weights > kMostWeights)
    throw ValueError("hidden", fmt::format("{} hidden units make {} weights, expected at most {}",
                                           config.hidden, weights, kMostWeights));
}

data::SourceOptions source_options(const Config& config, std::int64_t classes) {
  const spec::Form form = is_recurrent(config.model)       ? config.input
                          : config.model == ModelKind::cnn ? spec::Form::image
                                                           : spec::Form::flat;
  const data::Normalization scale = config.normalization.value_or(data::Normalization{});
  return {.images = {.input = {.form = form,
                               .permutation = config.permute,
                               .mean = scale.mean,
                               .std = scale.std},
                     .normalize = !config.normalization,
                     .shift = config.augment,
                     .classes = classes,
                     .validate = config.validate,
                     .split_seed = config.split_seed},
          .memory = {.length = config.length, .seed = config.seed},
          .series = config};
}

Config settled(Config config, const data::Source& source) {
  const spec::InputSpec input = source.input();
  if (const spec::ImageInput* images = spec::pixels_of(input))
    config.normalization = {images->mean, images->std};
  if (const data::SeriesSettings* series = source.series_settings()) {
    static_cast<data::SeriesSettings&>(config) = *series;
    if (source.size(data::Split::validation) == 0 && config.patience == series_patience)
      config.patience = 0;
    if (config.steps == 0) config.steps = steps_for(source, config.batch_size);
  }
  return config;
}

}  // namespace unroll::train
