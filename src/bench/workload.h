// What is measured, and how much useful arithmetic it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "train/config.h"
#include "unroll/core/nonlinearity.h"

namespace unroll::bench {

enum class Kind {
  train,  ///< one training step: batch, zero_grad, forward, loss, backward, clipping, optimizer
  eval,   ///< evaluation of a test set of `batch` images
  step,   ///< one time step of one sequence, by infer::Stream, without the readout
};

/// What an nn::Recurrent may be regularised with, one of them at a time.
enum class Regulariser {
  none,
  dropout,  ///< between the layers, of which there are two
  variational,
  recurrent_dropout,
  zoneout,
  weight_drop,
  layer_norm,
  activation,  ///< of the outputs and of how they move from step to step (AR and TAR)
};

/// How long the sequences of a batch are.
enum class Lengths {
  equal,     ///< all T
  mixed,     ///< up to T, all as often, in no order
  one_long,  ///< one of T, all others 5
};

/// A model with a readout to 10 classes, and what is done with it, in f32. A recurrent layer's last
/// state is read out. A cnn has so many convolutions, `hidden` channels after the first, and twice
/// as many after each further one; its images have T rows and I columns.
struct Workload {
  Kind kind = Kind::train;
  train::ModelKind model = train::ModelKind::rnn;  // or lstm, gru, cnn
  Nonlinearity activation = Nonlinearity::relu;    // of an rnn
  train::Algorithm optimizer = train::Algorithm::sgd;
  Precision precision = Precision::full;
  std::int64_t layers = 1;
  bool bidirectional = false;
  Lengths lengths = Lengths::equal;
  Regulariser regulariser = Regulariser::none;
  std::int64_t steps = 28, input = 28, hidden = 100, batch = 100;  // T, I, H, N
  bool on_one = true, on_all = true;  // which numbers of threads it is measured with
  bool by_default = true;             // or only when asked for

  static constexpr std::int64_t outputs = 10;
};

/// All that `unroll bench` can measure on this machine; a new one is a line there. Throws
/// ValueError where UNROLL_ISA names what this CPU lacks.
const std::vector<Workload>& workloads();

/// "train/rnn_relu/t28_i28_h100_n100": kind, what is special about the model, sizes.
std::string name_of(const Workload& workload);

/// The cell of a recurrent model. Throws Error for another one.
spec::Cell cell_of(const Workload& workload);

/// The steps of each sequence; empty where all have T.
std::vector<std::int64_t> lengths_of(const Workload& workload);

/// The multiplications and additions of the products of recurrent layers and convolutions, as their
/// equations have them: those with the first state count although it is zero and Unroll leaves them
/// out (3 % of the first workload). No gradient of the input. Readout, activations, gates, loss,
/// clipping and optimizer are work, but not counted.
double useful_flops(const Workload& workload);

/// The bytes of the recurrent weights in f32: what one time step reads. Two biases that are only
/// ever added are one.
double weight_bytes(const Workload& workload);

/// The share of peak that padding leaves: useful columns / columns as computed, in whole vectors of
/// `lanes` and a last one of half as many where that holds what is left.
double padding_ceiling(std::size_t columns, std::size_t lanes);

}  // namespace unroll::bench
