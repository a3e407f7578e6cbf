// The workloads of `unroll bench`, and the useful arithmetic in each.
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
  step,   ///< one time step of one sequence by infer::Stream, without the readout
};

/// The regularisers of nn::Recurrent. A workload has at most one.
enum class Regulariser {
  none,
  dropout,  ///< between two layers
  variational,
  recurrent_dropout,
  zoneout,
  weight_drop,
  layer_norm,
  activation,  ///< penalties on outputs (AR) and on their change from step to step (TAR)
};

/// The lengths of the sequences of a batch.
enum class Lengths {
  equal,     ///< all have T steps
  mixed,     ///< 1 to T, equally often, in no order
  one_long,  ///< one sequence has T steps, all others 5
};

/// A model with 10 classes, and the work to measure, in f32. The readout is a recurrent layer's
/// last state. An fnn reads T x I pixels. A cnn has `layers` convolutions: the first has `hidden`
/// channels, each further one twice as many. Its images have T rows and I columns.
struct Workload {
  Kind kind = Kind::train;
  train::ModelKind model = train::ModelKind::rnn;  // or lstm, gru, fnn, cnn
  Nonlinearity activation = Nonlinearity::relu;    // only for an rnn
  train::Algorithm optimizer = train::Algorithm::sgd;
  Precision precision = Precision::full;
  std::int64_t layers = 1;
  bool bidirectional = false;
  Lengths lengths = Lengths::equal;
  Regulariser regulariser = Regulariser::none;
  std::int64_t steps = 28, input = 28, hidden = 100, batch = 100;  // T, I, H, N
  bool on_one = true, on_all = true;  // measured with one thread; with all threads
  bool by_default = true;             // false: only when asked for

  static constexpr std::int64_t outputs = 10;
};

/// All workloads that `unroll bench` can measure on this machine. Throws ValueError if UNROLL_ISA
/// names an instruction set that this CPU lacks.
const std::vector<Workload>& workloads();

/// "train/rnn_relu/t28_i28_h100_n100": the kind, the model with its options, and the sizes.
std::string name_of(const Workload& workload);

/// The cell of a recurrent model. Throws Error for another model.
spec::Cell cell_of(const Workload& workload);

/// The number of steps of each sequence; empty if all have T.
std::vector<std::int64_t> lengths_of(const Workload& workload);

/// The number of multiplications and additions in the products of recurrent layers, of an fnn and
/// of convolutions, counted by their equations. Products with the initial state count, although it
/// is zero and Unroll skips them (3 % of the first workload). The gradient of the input does not
/// count. Nor do readout, activations, gates, loss, clipping and optimizer.
double useful_flops(const Workload& workload);

/// The bytes that one time step reads: the recurrent weights in f32. Two biases count as one if
/// they are only used as a sum.
double weight_bytes(const Workload& workload);

/// The share of peak that padding leaves: useful columns / computed columns. Columns are computed
/// in vectors of `lanes`. The last vector has half as many if the rest fits into it.
double padding_ceiling(std::size_t columns, std::size_t lanes);

}  // namespace unroll::bench
