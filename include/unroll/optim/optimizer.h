// The common base of all optimizers.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "unroll/autograd/parameter.h"
#include "unroll/core/api.h"

namespace unroll::optim {

/// Parameters with options of their own. Every optimizer also takes a list of such groups:
///
///     Parameters matrices, vectors;
///     for (const Parameter& p : model.parameters())
///       (p.value.rank() == 2 ? matrices : vectors).push_back(p);
///     optim::AdamW optimizer({{matrices, {.weight_decay = 0.1}}, {vectors, {.weight_decay = 0}}});
///
/// Source: https://pytorch.org/docs/stable/optim.html (Per-parameter options)
template <class Options>
struct ParameterGroup {
  Parameters parameters;
  Options options = {};
};

template <class Options>
using ParameterGroups = std::vector<ParameterGroup<Options>>;

/// Updates parameters from their gradients. A parameter without a gradient does not change.
///
/// Every constructor throws ValueError for an empty list, for a group without parameters and for a
/// parameter that is listed twice.
class UNROLL_API Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Removes the gradients of all parameters. They are then absent, not zero.
  virtual void zero_grad();
  /// Makes one update from the current gradients.
  void step();
  /// Sets the factor on all learning rates of the optimizer, usually from a schedule. Initially 1.
  void set_lr_factor(double factor) { lr_factor_ = factor; }
  double lr_factor() const { return lr_factor_; }

  /// The optimizer's state, for a checkpoint. Names are the parameter's name, a dot and PyTorch's
  /// name of the quantity: "fc.weight.exp_avg". "fc.weight.step" (a single i64) counts a
  /// parameter's updates. The tensors share the optimizer's memory. Options and lr_factor are not
  /// part of the state.
  virtual Parameters state() const;
  /// Copies back the tensors of an earlier state(), by name; converts types.
  /// Throws FormatError, listing every name that is missing, left over, repeated or of another
  /// shape, and then changes nothing.
  void load_state(const Parameters& values);

 protected:
  /// Throws ValueError for a parameter that is listed twice.
  explicit Optimizer(Parameters parameters);

  /// Zeros in the shape of each parameter, in the order of `parameters_`.
  std::vector<Tensor> zeros_like_parameters() const;
  /// The number of updates of a parameter, including the one that update() is making.
  std::int64_t steps(std::size_t index) const { return *steps_[index].data<std::int64_t>(); }

  /// A quantity's name and its tensors, one for each in `parameters_`; undefined if not needed.
  using NamedState = std::pair<std::string_view, const std::vector<Tensor>*>;

  Parameters parameters_;
  double lr_factor_ = 1;

 private:
  /// Updates elements begin .. end - 1 of a parameter. Several threads call this at once, each for
  /// other elements. It must not throw.
  virtual void update(std::size_t index, std::size_t begin, std::size_t end) = 0;
  /// Runs once after all calls of update() in a step, for what needs whole parameters.
  virtual void end_step() {}
  virtual std::vector<NamedState> named_state() const = 0;

  std::vector<Tensor> steps_;
};

}  // namespace unroll::optim
