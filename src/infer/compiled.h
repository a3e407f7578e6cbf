// A model's layers with their weights in the order that the kernels read them.
#pragma once

#include <hwy/aligned_allocator.h>

#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "kernels/convolution.h"
#include "kernels/max_pool.h"
#include "kernels/recurrent.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll::infer {

/// One direction of one recurrent layer.
template <class T>
struct Direction {
  kernels::RecurrentShape shape;          // of one sequence of one step
  hwy::AlignedFreeUniquePtr<T[]> packed;  // as kernels::pack lays it out
  std::vector<T> h_0, c_0;                // learnt initial states; empty: zeros
};

template <class T>
struct Recurrent {
  std::vector<Direction<T>> directions;  // (L, D)
  std::size_t layers = 0, count = 0;     // L, D
  std::size_t state = 0, hidden = 0;     // of h, of c
  bool memory = false;                   // has a c
  spec::Readout readout{};
  T zoneout_h = 0, zoneout_c = 0;

  std::size_t width() const { return count * state; }  // D states beside each other
  std::size_t features() const { return width() * (readout == spec::Readout::mean_last ? 2 : 1); }
};

template <class T>
struct Linear {
  std::size_t inputs = 0, outputs = 0;
  std::vector<T> weight;  // (I, O)
  std::vector<T> bias;    // (O), or empty
};

struct Activate {
  spec::Activation function{};
};

template <class T>
struct Convolve {
  kernels::ConvolutionShape shape;  // of one image
  std::vector<T> weight, bias;      // the bias may be empty
};

struct Pool {
  std::size_t channels;
  kernels::Windows rows, columns;
};

struct Flatten {};

/// (x - mean) / std
template <class T>
struct Scale {
  std::vector<T> mean, std;  // of each feature
};

struct Residual {
  std::size_t from;  // the stage whose input is added
};

template <class T>
using Stage =
    std::variant<Recurrent<T>, Linear<T>, Activate, Convolve<T>, Pool, Flatten, Scale<T>, Residual>;

template <class T>
struct Compiled {
  /// Throws what Model's constructor throws.
  Compiled(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights);

  spec::ModelSpec spec;
  std::vector<spec::Features> features;  // what flows into each stage, and out of the last
  std::vector<Stage<T>> stages;          // an input's scaling, and one for each layer

  /// The stages that a sequence flows into; what comes after them sees vectors or images.
  std::size_t sequence_stages() const;
  std::size_t size_of(std::size_t i) const { return static_cast<std::size_t>(features[i].size()); }
  std::size_t inputs() const { return size_of(0); }
  std::size_t outputs() const { return size_of(stages.size()); }
  bool reads_sequences() const { return sequence_stages() > 0; }
  /// Whether what flows into this stage is added to something later.
  bool is_kept(std::size_t i) const;
  bool gives_sequences() const { return features.back().kind == spec::Features::Kind::sequence; }
};

}  // namespace unroll::infer
