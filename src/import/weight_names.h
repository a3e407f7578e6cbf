// The names that layers have in a file, and the names that they get here.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "import/state_dict.h"
#include "import/weight_norm.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {

/// A file's weights by name, as the file has them. Only what has no name gets one: a bare layer's
/// weights, without a dot, become those of "rnn", or "fc" for nn.Linear, and those of nn.RNNCell
/// and its like get the "_l0" that they lack. Weights of weight_norm are put together.
class WeightNames {
 public:
  /// The state_dict must outlive this.
  explicit WeightNames(const StateDict& state);
  WeightNames(const WeightNames&) = delete;  // arrays point into it
  WeightNames& operator=(const WeightNames&) = delete;

  const std::string& file() const { return file_; }  ///< its name
  const std::map<std::string, const io::ArrayView*>& all() const { return arrays_; }
  const std::map<std::string, spec::Sizes>& shapes() const { return shapes_; }
  const std::vector<std::string>& in_order() const { return order_; }  ///< of the file
  /// Whether that is the order of the network's class, as in a .pt: safetensors sorts names.
  bool has_order() const { return has_order_; }

  bool has_recurrent() const { return has_recurrent_; }  ///< any layer with a weight_ih_l0

  /// Which tensors a name means, by the first rule that finds any: the one that is called so; what
  /// is called so behind wrappers of a whole model ("module." of DataParallel, "_orig_mod." of
  /// torch.compile, "model."); names that end in ".NAME"; the same two with wrappers behind or
  /// inside; all of it for the name without wrappers in front. So a layer's own name is never taken
  /// for a wrapper's. None, one or several.
  std::vector<std::string> tensors(const std::string& name) const;

  /// The same of layers that have the weight of that name ("weight_ih_l0"). In a file of one bare
  /// layer, wrapped or not, every name means that one.
  const std::vector<std::string>& layers(const std::string& name, std::string_view weight) const;

  /// All layers that have a weight of that name, in the order of the file.
  const std::vector<std::string>& layers_with(std::string_view weight) const;

  /// Of each tensor that is part of one of these layers, that layer; of layers one within the
  /// other, the inner one. The layers must outlive what is returned.
  std::map<std::string_view, std::string_view> parts_of(const std::set<std::string>& layers) const;

  /// A layer's name without wrappers, if that means this layer alone; otherwise as it is.
  std::string short_name(const std::string& layer, std::string_view weight) const;

 private:
  std::string file_;
  PutTogether given_;
  std::map<std::string, const io::ArrayView*> arrays_;
  std::map<std::string, spec::Sizes> shapes_;
  std::vector<std::string> order_;
  // What was asked for once: the same layers are, again and again, and there may be many names.
  mutable std::map<std::string, std::vector<std::string>> layers_, layers_with_;
  bool bare_ = false, has_order_ = false, has_recurrent_ = false;
};

}  // namespace unroll::importer
