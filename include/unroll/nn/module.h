// Modules: what has parameters and is made of other modules.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "unroll/autograd/parameter.h"
#include "unroll/core/api.h"

namespace unroll::nn {

class Module;

/// Where a layer belongs: pass child("name") of the owning module to the layer's constructor.
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
/// Names come out as in PyTorch: "fc.weight", "fc.bias".
///
/// A layer leaves its parent when it is destroyed, and when its constructor throws. To replace one,
/// destroy it first: two layers of one name are an error.
///
/// A layer that was made without child() belongs to no model, so nobody trains it. Where a loss
/// depends on it and on the parameters of a model that was made before it, backward() throws a
/// ValueError that says so. Use such a layer under NoGrad where it is meant to stay as it is.
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.Module.html
class UNROLL_API Module {
 public:
  Module();
  /// Throws ValueError where the parent already has a layer or parameter of that name, or the name
  /// is empty.
  explicit Module(const Child& place);
  virtual ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// All parameters in the order they were made. The first call of a model's root lays them out in
  /// one buffer, and their gradients in another, so that an optimizer goes straight through memory.
  Parameters parameters();

  /// The layers that were made with child() of this one, by name, in the order they were made.
  /// Source: https://pytorch.org/docs/stable/generated/torch.nn.Module.html (named_children)
  std::vector<std::pair<std::string, Module*>> children() const;

  /// Copies values in, by name; types are converted. Throws FormatError listing every name that is
  /// missing, left over or of another shape; nothing is changed then.
  void load(const Parameters& values);

  /// Puts this and the modules in it into training mode, as they are at first, or, with false, into
  /// evaluation mode, in which Dropout does nothing. A layer that was made without child() keeps
  /// its own.
  /// Source: https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.train
  void train(bool mode = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }

 protected:
  Child child(std::string name) { return {this, std::move(name)}; }
  /// Makes a leaf of `value`. Returns a tensor that stays valid when the parameters move. Throws
  /// ValueError for a name that is empty or taken.
  Tensor add_parameter(std::string name, const Tensor& value, int gates = 0);

 private:
  void collect(const std::string& prefix, Parameters& into);
  void check_name(const std::string& name) const;

  struct Named {
    std::string name;
    Module* module;  // either a module or a parameter
    Parameter parameter;
  };
  std::vector<Named> members_;
  Module* parent_ = nullptr;
  bool training_ = true;
  // Moments (see Listing in tensor_impl.h): of construction, and of the first parameters().
  std::uint64_t made_, first_listed_ = 0;
};

}  // namespace unroll::nn
