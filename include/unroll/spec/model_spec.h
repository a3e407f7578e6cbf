// Description of a model: pure data, stored in the metadata of model.safetensors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "unroll/core/api.h"
#include "unroll/spec/layers.h"
#include "unroll/spec/table_spec.h"

namespace unroll::spec {

/// How an image becomes an input.
enum class Form {
  rows,    ///< a sequence of T = height rows of I = width pixels
  pixels,  ///< a sequence of T = height width steps of one pixel
  flat,    ///< a vector of height width pixels
  image,   ///< one channel of height x width
};

/// Images. Pixels from 0 to 255 become x = (pixel / 255 - mean) / std before the model: infer and
/// training read x.
struct ImageInput {
  Form form = Form::rows;
  std::int64_t height = 0;  ///< 0: any; for rows and pixels only
  std::int64_t width = 0;   ///< for pixels 0 if height is 0
  /// Seed of the fixed random order in which the model reads the pixels. Empty: their own order.
  std::optional<std::uint64_t> permutation = {};
  double mean = 0, std = 1;
  /// False: the description does not say how pixels become x. Only for Form::image or with a
  /// permutation; other inputs without pixels are a SeriesInput or a VectorInput.
  bool pixels = true;

  /// Whether an image is read step by step: rows and pixels.
  bool is_sequence() const { return form == Form::rows || form == Form::pixels; }

  friend bool operator==(const ImageInput&, const ImageInput&) = default;
};

/// A series: T steps of I numbers, the features.
struct SeriesInput {
  std::int64_t features = 0;            ///< I
  std::int64_t steps = 0;               ///< T; 0: any
  std::vector<std::string> names = {};  ///< names of the features; may be empty
  /// Empty: no scaling. Otherwise one number for each feature: the model computes (x - mean) / std
  /// first, in inference, in training and in every export.
  std::vector<double> mean = {}, std = {};

  friend bool operator==(const SeriesInput&, const SeriesInput&) = default;
};

/// A vector of I numbers, the features.
struct VectorInput {
  std::int64_t features = 0;                ///< I
  std::vector<std::string> names = {};      ///< as in SeriesInput
  std::vector<double> mean = {}, std = {};  ///< as in SeriesInput

  friend bool operator==(const VectorInput&, const VectorInput&) = default;
};

/// T steps of one token each: a whole number from 0 to `tokens` - 1.
struct TokenInput {
  std::int64_t tokens = 0;
  std::int64_t steps = 0;                    ///< T; 0: any
  std::vector<std::string> vocabulary = {};  ///< the text of each token; may be empty

  friend bool operator==(const TokenInput&, const TokenInput&) = default;
};

/// The input of a model.
using InputSpec = std::variant<ImageInput, SeriesInput, VectorInput, TokenInput>;

/// Whether the model reads T steps, one after the other.
UNROLL_API bool is_sequence(const InputSpec& input);
/// T of a sequence, 0 for any T; 1 if the model reads no sequences.
UNROLL_API std::int64_t steps_of(const InputSpec& input);
/// Whether the model scales its features itself: the (x - mean) / std of a series or a vector.
UNROLL_API bool has_scaling(const InputSpec& input);
/// The input of a model that reads pixels; nullptr for a model that reads numbers or tokens.
UNROLL_API const ImageInput* pixels_of(const InputSpec& input);

/// The meaning of a model's outputs.
enum class Output {
  logits,  ///< one for each class; their softmax is the probabilities: trained with cross-entropy
  /// one for each class; targets are 1 for the class and 0 for the others: trained with squared
  /// errors
  scores,
  values,  ///< predictions of a regression: trained with squared errors
};

/// The description of a model: its input, its layers in order, and the meaning of its outputs.
struct ModelSpec {
  static constexpr int version = 5;  ///< 5 added tables, and convolutions over steps
  static constexpr const char* metadata_key = "unroll";  ///< in model.safetensors

  InputSpec input = {};
  std::vector<LayerSpec> layers = {};
  Output output = Output::logits;
  std::string dataset = {};               ///< the training data set; may be empty
  std::vector<std::string> classes = {};  ///< a name for each output; may be empty
  /// How a table becomes the input; for models of tables and files of series.
  std::optional<TableSpec> table = {};

  friend bool operator==(const ModelSpec&, const ModelSpec&) = default;
};

/// The data between two layers, for one sample.
struct Features {
  /// Tokens are a sequence of one whole number per step, from 0 to width - 1.
  enum class Kind { vector, sequence, image, tokens } kind = Kind::vector;
  std::int64_t channels = 1, height = 1, width = 1;  ///< for an image; others use width only

  /// Numbers in a vector, an image, or one step of a sequence; 1 for tokens.
  std::int64_t size() const { return kind == Kind::tokens ? 1 : channels * height * width; }
  /// Whether it has steps.
  bool is_sequence() const { return kind == Kind::sequence || kind == Kind::tokens; }

  friend bool operator==(const Features&, const Features&) = default;
};

/// The data at every point of the model: the input of the first layer, then the output of each
/// layer.
/// Throws FormatError naming the first layer that has a size outside its range, or an input that it
/// can't read.
UNROLL_API std::vector<Features> features_of(const ModelSpec& spec);

/// The input of the first layer. Throws FormatError for a size outside its range.
UNROLL_API Features features_of(const InputSpec& input);

/// The model as it runs: the scaling of a series or a vector becomes the first layer (a ScaleSpec).
/// Pixels are scaled before the model, so an ImageInput does not change.
UNROLL_API ModelSpec with_scale_layer(const ModelSpec& spec);

/// The steps of the shortest sequence that the model can read: more than 1 if a Conv1d has windows
/// that need more.
UNROLL_API std::int64_t shortest_sequence(const ModelSpec& spec);

/// The first layer whose output at a step depends on later steps, so that the model can't run step
/// by step: "rnn is bidirectional", "conv is padded at its end". Empty if there is none.
UNROLL_API std::string reads_ahead(const ModelSpec& spec);

/// I of a sequence, or all numbers of one input; 1 for tokens.
UNROLL_API std::int64_t inputs_of(const ModelSpec& spec);
/// C, the number of outputs; for each step if the last readout is every_step.
UNROLL_API std::int64_t outputs_of(const ModelSpec& spec);

using Sizes = std::vector<std::int64_t>;

/// The names and shapes of a model's weights, in order.
UNROLL_API std::vector<std::pair<std::string, Sizes>> weights_of(const ModelSpec& spec);

/// Lists the differences between the weights that a model needs and `weights`: missing, left over,
/// other shapes. Lists 64 and counts the rest. Empty if they agree.
UNROLL_API std::string differences(const ModelSpec& spec,
                                   const std::map<std::string, Sizes>& weights);

/// Facts that a bare state_dict does not contain.
struct Assumed {
  Activation activation = Activation::relu;  ///< in an rnn, and between linear layers
  /// Whether the model reads pixels of images. If false, it reads numbers as they are.
  bool pixels = false;
  double mean = 0, std = 1;  ///< of the pixels, as in ImageInput
};

/// Derives the architecture from the names and shapes of a bare state_dict. Recurrent layers, if
/// any, have PyTorch's names and are stacked in the order of their names. Linear layers follow in
/// the order in which their sizes fit, with the assumed activation between them. The readout is
/// mean_last if the first linear layer reads twice the state's size, and last otherwise.
/// Throws FormatError naming the weights that are missing or not understood.
UNROLL_API ModelSpec from_weights(const std::map<std::string, Sizes>& weights,
                                  const Assumed& assumed);

/// Whether the model has an activation, which from_weights can only assume.
UNROLL_API bool has_activation(const ModelSpec& spec);

/// Writes the oldest version that can express the model, so that older programs can read it.
UNROLL_API std::string to_json(const ModelSpec& spec);
/// Throws FormatError unless `text` is a complete, plausible description of this or an older
/// version.
UNROLL_API ModelSpec from_json(std::string_view text);

/// Whether two descriptions, of any versions, describe the same model. Throws the errors of
/// from_json().
UNROLL_API bool same_description(std::string_view a, std::string_view b);

UNROLL_API std::string_view name_of(Form form);
UNROLL_API std::string_view name_of(Output output);
UNROLL_API Form form_named(std::string_view name);      ///< throws ValueError
UNROLL_API Output output_named(std::string_view name);  ///< throws ValueError

}  // namespace unroll::spec
