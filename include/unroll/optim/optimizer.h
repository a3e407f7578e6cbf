// What all optimizers have in common.
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

/// Changes parameters by their gradients. A parameter without a gradient is left as it is.
///
/// Every optimizer throws ValueError for no parameters at all, for a group without parameters and
/// for a parameter that is there twice.
class UNROLL_API Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Forgets the gradients of all parameters (they are absent then, not zero).
  virtual void zero_grad();
  /// One update from the gradients there are.
  void step();
  /// A factor on every learning rate of the optimizer: what schedules drive. 1 at first.
  void set_lr_factor(double factor) { lr_factor_ = factor; }
  double lr_factor() const { return lr_factor_; }

  /// What steps have changed besides the parameters, for a checkpoint: the parameter's name, a dot
  /// and PyTorch's name of the quantity, as in "fc.weight.exp_avg". "fc.weight.step" (a single i64)
  /// counts the updates of a parameter. The tensors share the optimizer's memory. Options and
  /// lr_factor are not among them.
  virtual Parameters state() const;
  /// Copies in what state() gave out, by name; types are converted. Throws FormatError listing
  /// every name that is missing, left over, there twice or of another shape; nothing is changed
  /// then.
  void load_state(const Parameters& values);

 protected:
  /// Throws ValueError for a parameter that is there twice.
  explicit Optimizer(Parameters parameters);

  /// State that one parameter needs, zeros of its shape; one for each in `parameters_`.
  std::vector<Tensor> zeros_like_parameters() const;
  /// How many updates a parameter had, with the one that update() is making.
  std::int64_t steps(std::size_t index) const { return *steps_[index].data<std::int64_t>(); }

  /// A quantity's name and its tensors, one for each in `parameters_`, undefined where not needed.
  using NamedState = std::pair<std::string_view, const std::vector<Tensor>*>;

  Parameters parameters_;
  double lr_factor_ = 1;

 private:
  virtual void begin_step() {}
  virtual void update(std::size_t index, const Tensor& value, const Tensor& gradient) = 0;
  virtual std::vector<NamedState> named_state() const = 0;

  std::vector<Tensor> steps_;
};

}  // namespace unroll::optim
