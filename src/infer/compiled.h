// A model's layers, with the weights in the layout of the kernels.
#pragma once

#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "kernels/convolution.h"
#include "kernels/convolution1d.h"
#include "kernels/max_pool.h"
#include "kernels/packed_stack.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::infer {

template <class T>
struct Recurrent {
  kernels::StackShape shape;  // for one sequence and one step
  std::unique_ptr<const kernels::PackedStack<T>> packed;
  std::vector<T> h_0, c_0;  // learnt initial states, (L D, P) and (L D, H); empty means zeros
  std::size_t first = 0;    // index of its first direction among those of all stages
  std::size_t state = 0, hidden = 0;  // sizes of h and c
  bool memory = false;                // the cell has a c
  spec::Readout readout{};
  T zoneout_h = 0, zoneout_c = 0;

  std::size_t width() const { return shape.width(); }  // D states side by side
  /// The learnt initial state of a layer and direction; null means zeros.
  const T* h_0_of(std::size_t index) const { return h_0.empty() ? nullptr : &h_0[index * state]; }
  const T* c_0_of(std::size_t index) const { return c_0.empty() ? nullptr : &c_0[index * hidden]; }
  std::size_t features() const { return width() * (readout == spec::Readout::mean_last ? 2 : 1); }
};

/// A convolution over steps. It may give another number of steps than it reads.
template <class T>
struct StepConvolution {
  kernels::Convolution1dShape shape;  // for one sequence
  std::vector<T> packed, bias;        // in the layout of pack_convolution1d; the bias may be empty

  std::size_t span() const { return static_cast<std::size_t>(shape.windows.span()); }
  const T* bias_data() const { return bias.empty() ? nullptr : bias.data(); }
};

// Stages on single rows: a vector, or one step of one sequence.

template <class T>
struct Linear {
  std::size_t inputs = 0, outputs = 0;
  std::vector<T> weight;  // (I, O)
  std::vector<T> bias;    // (O), or empty
};

struct Activate {
  spec::Activation function{};
  std::size_t features = 0;
};

/// (x - mean) / std
template <class T>
struct Scale {
  std::vector<T> mean, std;  // one for each feature
};

/// (x - mean of x) / sqrt(variance of x + eps) weight + bias
template <class T>
struct LayerNorm {
  std::size_t features = 0;
  double eps = 0;
  std::vector<T> weight, bias;  // may be empty
};

/// Row x of the weight, for token x.
template <class T>
struct Embedding {
  std::size_t rows = 0, width = 0;
  std::vector<T> weight;  // (rows, width)
};

struct Residual {
  std::size_t from = 0;  // index of the stage whose input is added
  std::size_t features = 0;
};

template <class T>
using RowStage = std::variant<Linear<T>, Activate, Scale<T>, LayerNorm<T>, Embedding<T>, Residual>;

// Stages on images.

template <class T>
struct Convolve {
  kernels::ConvolutionShape shape;  // for one image
  std::vector<T> weight, bias;      // the bias may be empty
};

struct Pool {
  std::size_t channels;
  kernels::Windows rows, columns;
};

struct Flatten {};

template <class T>
using ImageStage = std::variant<Convolve<T>, Pool, Flatten>;

template <class T>
using Stage = std::variant<Recurrent<T>, RowStage<T>, ImageStage<T>, StepConvolution<T>>;

template <class T>
struct Compiled {
  /// Throws the errors of Model's constructor.
  Compiled(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights);

  spec::ModelSpec spec;
  std::vector<spec::Features> features;  // the input of each stage, and the output of the last
  std::vector<Stage<T>> stages;          // the scaling of the input, then one stage for each layer

  /// The number of stages that read a sequence. Later stages read vectors or images.
  std::size_t sequence_stages() const;
  std::size_t size_of(std::size_t i) const { return static_cast<std::size_t>(features[i].size()); }
  std::size_t inputs() const { return size_of(0); }
  std::size_t outputs() const { return size_of(stages.size()); }
  bool has_step_convolutions() const { return has_step_convolutions_; }
  bool reads_sequences() const { return sequence_stages() > 0; }
  /// The number of steps that stage i reads, of a sequence of so many steps; 0 if it is too short.
  std::size_t steps_at(std::size_t i, std::size_t steps) const;
  /// Whether a later residual stage adds the input of this stage.
  bool is_kept(std::size_t i) const;
  bool gives_sequences() const { return features.back().is_sequence(); }
  /// Number of tokens: the model reads whole numbers from 0 to this - 1. 0 if it reads no tokens.
  std::size_t tokens() const {
    const spec::Features& in = features.front();
    return in.kind == spec::Features::Kind::tokens ? static_cast<std::size_t>(in.width) : 0;
  }

 private:
  bool has_step_convolutions_ = false;
};

}  // namespace unroll::infer
