// What a look inside a model in training shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace unroll::train {

/// Mean, standard deviation and largest absolute value of some numbers.
struct Spread {
  double mean = 0, deviation = 0, largest = 0;
};

/// One layer. A recurrent layer of a description that stacks L layers counts as L: "rnn l0",
/// "rnn l1".
struct LayerInside {
  std::string name;
  std::optional<Spread> weights;      // and biases
  std::optional<Spread> updates;      // of these weights
  std::optional<double> moved;        // ||update|| / ||weights before it||
  std::optional<Spread> activations;  // states h of a recurrent layer, else the output
  std::optional<double> dead;         // behind a ReLU: share of units that gave only zeros
  std::vector<double> gradient;       // recurrent: ||dL/dh_t|| at each of Inside::times
};

/// The numbers of a look (train/look.h). They are the same for any number of threads.
struct Inside {
  std::int64_t rows = 0;            // samples looked at, of the last training batch
  std::int64_t update_steps = 0;    // steps that made the updates; 0: unknown
  std::vector<std::int64_t> times;  // time steps, from 1
  std::vector<LayerInside> layers;
  std::optional<double> output_spread;  // deviation between samples / that of the targets, or of
                                        // classes the outputs' root mean square
  std::optional<double> chance;  // %, accuracy of always the most frequent class, if that is known
};

}  // namespace unroll::train
