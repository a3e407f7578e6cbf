// What a model is: pure data, stored in the metadata of model.safetensors.
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

namespace unroll::spec {

/// How an image becomes an input.
enum class Form {
  rows,    ///< a sequence of T = height rows of I = width pixels
  pixels,  ///< a sequence of T = height width steps of one pixel
  flat,    ///< a vector of height width pixels
  image,   ///< one channel of height x width
};

/// Images, whose pixels become numbers: x = (pixel / 255 - mean) / std, with pixels from 0 to 255.
/// That is done before the model: infer and training read x.
struct ImageInput {
  Form form = Form::rows;
  std::int64_t height = 0;  ///< 0: any, for rows and pixels
  std::int64_t width = 0;   ///< for pixels 0 with a height of 0
  /// The pixels are put in a fixed random order first, given by this seed.
  std::optional<std::uint64_t> permutation = {};
  double mean = 0, std = 1;
  /// False: x is an image already, and nothing says how pixels become x. Only for Form::image or
  /// with a permutation; without them such an input is a SeriesInput or a VectorInput.
  bool pixels = true;

  /// Whether an image is read step by step: rows and pixels.
  bool is_sequence() const { return form == Form::rows || form == Form::pixels; }

  friend bool operator==(const ImageInput&, const ImageInput&) = default;
};

/// A series: T steps of I numbers, the features.
struct SeriesInput {
  std::int64_t features = 0;            ///< I
  std::int64_t steps = 0;               ///< T; 0: any
  std::vector<std::string> names = {};  ///< of the features; may be empty
  /// Empty: the numbers go in as they are. Otherwise one for each feature: the model itself
  /// computes (x - mean) / std first, in inference, in training and in every export.
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

/// What goes into a model.
using InputSpec = std::variant<ImageInput, SeriesInput, VectorInput, TokenInput>;

/// Whether the model reads T steps, one after the other.
UNROLL_API bool is_sequence(const InputSpec& input);
/// T of a sequence; 0 where it may be any. 1 where the model reads no sequences.
UNROLL_API std::int64_t steps_of(const InputSpec& input);
/// Whether the model scales its features itself: the (x - mean) / std of a series or a vector.
UNROLL_API bool has_scaling(const InputSpec& input);
/// The images whose pixels a model reads; nullptr for a model that reads numbers or tokens.
UNROLL_API const ImageInput* pixels_of(const InputSpec& input);

/// What a model's outputs are: one for each class, or of a regression.
enum class Output {
  logits,  ///< their softmax is the probabilities: trained with cross-entropy
  scores,  ///< 1 for the class and 0 for the others: trained with squared errors
  values,  ///< numbers that are to be the targets: trained with squared errors
};

/// The description that everything about a model starts from: what goes in, the layers in the order
/// that it goes through them, and what comes out.
struct ModelSpec {
  static constexpr int version = 4;                      ///< 4 has kinds of input, and embeddings
  static constexpr const char* metadata_key = "unroll";  ///< in model.safetensors

  InputSpec input = {};
  std::vector<LayerSpec> layers = {};
  Output output = Output::logits;
  std::string dataset = {};               ///< what it was trained on; may be empty
  std::vector<std::string> classes = {};  ///< a name for each output; may be empty

  friend bool operator==(const ModelSpec&, const ModelSpec&) = default;
};

/// What flows between two layers, of one sample.
struct Features {
  /// Tokens are a sequence of one whole number a step, from 0 to width - 1.
  enum class Kind { vector, sequence, image, tokens } kind = Kind::vector;
  std::int64_t channels = 1, height = 1, width = 1;  ///< of an image; otherwise width alone counts

  /// Numbers: of a vector, an image, or one step of a sequence. 1 of tokens.
  std::int64_t size() const { return kind == Kind::tokens ? 1 : channels * height * width; }
  /// Whether it has steps.
  bool is_sequence() const { return kind == Kind::sequence || kind == Kind::tokens; }

  friend bool operator==(const Features&, const Features&) = default;
};

/// What goes into the first layer, what comes out of it, and so on to what comes out of the last.
/// Throws FormatError naming the first layer that has a size outside its range, or that what comes
/// in does not suit.
UNROLL_API std::vector<Features> features_of(const ModelSpec& spec);

/// What goes into the first layer. Throws FormatError for a size outside its range.
UNROLL_API Features features_of(const InputSpec& input);

/// The model as it runs: where the input has a scaling, that is the first layer (a ScaleSpec), and
/// the input has none. Pixels are scaled before the model, so an image stays as it is.
UNROLL_API ModelSpec with_scale_layer(const ModelSpec& spec);

/// I of a sequence, or all numbers of one input; 1 of tokens.
UNROLL_API std::int64_t inputs_of(const ModelSpec& spec);
/// C, the logits; of each step with every_step.
UNROLL_API std::int64_t outputs_of(const ModelSpec& spec);

using Sizes = std::vector<std::int64_t>;

/// The weights a model has, by name in order, with their shapes.
UNROLL_API std::vector<std::pair<std::string, Sizes>> weights_of(const ModelSpec& spec);

/// Lists the differences between what a model needs and what there is: missing, left over, other
/// shapes. Those after the first 64 are counted; empty where they agree.
UNROLL_API std::string differences(const ModelSpec& spec,
                                   const std::map<std::string, Sizes>& weights);

/// What a bare state_dict does not tell.
struct Assumed {
  Activation activation = Activation::relu;  ///< of an rnn, and between linear layers
  /// Whether it reads images' pixels. A model that states no input reads numbers as they are.
  bool pixels = false;
  double mean = 0, std = 1;  ///< of the pixels, as in ImageInput
};

/// Reads the architecture off a bare state_dict's names and shapes: recurrent layers as PyTorch
/// names them, if any, one on top of the other in the order of their names, and linear layers in
/// the order in which their sizes fit, with the assumed activation between them. Where the first
/// linear layer reads twice the state's size, it reads mean_last, otherwise the last state. Throws
/// FormatError naming what is missing or not understood.
UNROLL_API ModelSpec from_weights(const std::map<std::string, Sizes>& weights,
                                  const Assumed& assumed);

/// Whether the model has an activation, which from_weights can only assume.
UNROLL_API bool has_activation(const ModelSpec& spec);

/// In the oldest version that can say it, so that older programs read what they can run.
UNROLL_API std::string to_json(const ModelSpec& spec);
/// Throws FormatError for anything but a complete, plausible description of this version or older.
UNROLL_API ModelSpec from_json(std::string_view text);

/// Whether two descriptions, of whatever versions, say the same. Throws what from_json() throws.
UNROLL_API bool same_description(std::string_view a, std::string_view b);

UNROLL_API std::string_view name_of(Form form);
UNROLL_API std::string_view name_of(Output output);
UNROLL_API Form form_named(std::string_view name);      ///< throws ValueError
UNROLL_API Output output_named(std::string_view name);  ///< throws ValueError

}  // namespace unroll::spec
