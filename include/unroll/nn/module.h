// Modules: objects with parameters and child modules.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "unroll/autograd/parameter.h"
#include "unroll/core/api.h"

namespace unroll::nn {

class Module;

/// A layer's place in a model. Pass child("name") of the owning module to the layer's constructor.
struct Child {
  Module* parent;
  std::string name;
};

/// Base of layers and of users' models. A model holds its layers as members and names them when it
/// constructs them:
///
///     struct Model : nn::Module {
///       nn::Linear fc;
///       Model() : fc(child("fc"), 100, 10) {}
///     };
///
/// Parameters get PyTorch's names: "fc.weight", "fc.bias".
///
/// A layer leaves its parent when it is destroyed, and when its constructor throws. To replace a
/// layer, destroy it first: two layers with the same name are an error.
///
/// A layer made without child() belongs to no model, so no optimizer trains it. If a loss depends
/// on it and on a model made before it, backward() throws ValueError. Call such a layer under
/// NoGrad if it is not meant to be trained.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.Module.html
class UNROLL_API Module {
 public:
  Module();
  /// Throws ValueError if the name is empty or the parent already has a layer or parameter of that
  /// name.
  explicit Module(const Child& place);
  virtual ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// All parameters in the order of their construction. The first call on a model's root moves them
  /// to one buffer, and their gradients to another, so that an optimizer reads memory in sequence.
  Parameters parameters();

  /// The layers made with child() of this module and their names, in the order of construction.
  /// Source: https://pytorch.org/docs/stable/generated/torch.nn.Module.html (named_children)
  std::vector<std::pair<std::string, Module*>> children() const;

  /// Copies the values to the parameters of the same names; converts types.
  /// Throws FormatError, listing every name that is missing, left over or of another shape, and
  /// then changes nothing.
  void load(const Parameters& values);

  /// Sets training mode, which is the initial mode, or evaluation mode (false) for this module and
  /// its children. In evaluation mode Dropout does nothing. A layer made without child() keeps its
  /// mode.
  /// Source: https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.train
  void train(bool mode = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }

 protected:
  Child child(std::string name) { return {this, std::move(name)}; }
  /// Makes a parameter of `value`. The returned tensor stays valid when parameters() moves the
  /// values. Throws ValueError for a name that is empty or taken.
  Tensor add_parameter(std::string name, const Tensor& value, int gates = 0);

 private:
  void collect(const std::string& prefix, Parameters& into);
  void check_name(const std::string& name) const;

  struct Named {
    std::string name;
    Module* module;  // nullptr for a parameter
    Parameter parameter;
  };
  std::vector<Named> members_;
  Module* parent_ = nullptr;
  bool training_ = true;
  // Times (see Listing in tensor_impl.h): of construction, and of the first call of parameters().
  std::uint64_t made_, first_listed_ = 0;
};

}  // namespace unroll::nn
