// The names of layers in a file, and their names here.
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

/// The weights of a file under the names in the file, with three exceptions:
/// - A bare layer's weights have names without a dot: they get "rnn." in front, nn.Linear's "fc.".
/// - The weights of nn.RNNCell, nn.LSTMCell and nn.GRUCell get the missing "_l0".
/// - The two parts of a weight under weight_norm become one weight.
class WeightNames {
 public:
  /// The state_dict must outlive this.
  explicit WeightNames(const StateDict& state);
  WeightNames(const WeightNames&) = delete;  // arrays point into it
  WeightNames& operator=(const WeightNames&) = delete;

  const std::string& file() const { return file_; }  ///< the file's name
  const std::map<std::string, const io::ArrayView*>& all() const { return arrays_; }
  const std::map<std::string, spec::Sizes>& shapes() const { return shapes_; }
  const std::vector<std::string>& in_order() const { return order_; }  ///< names as in the file
  /// Whether the file keeps the order of the network's class. A .pt does; safetensors sorts names.
  bool has_order() const { return has_order_; }

  bool has_recurrent() const { return has_recurrent_; }  ///< any layer with a weight_ih_l0

  /// The tensors that a name means: none, one or several. A wrapper is "module." of DataParallel,
  /// "_orig_mod." of torch.compile, "model." and the like. The first of these rules that finds
  /// tensors counts, so a layer's own name is never taken for a wrapper:
  /// 1. The tensor with exactly this name.
  /// 2. Tensors with this name behind wrappers of the whole model.
  /// 3. Tensors whose name ends in ".NAME".
  /// 4. Rules 2 and 3, with wrappers behind the name or inside it.
  /// 5. Rules 1 to 4 for the name without the wrappers in front.
  std::vector<std::string> tensors(const std::string& name) const;

  /// The same for layers that have the given weight ("weight_ih_l0"). In a file of one bare layer,
  /// wrapped or not, every name means this layer.
  const std::vector<std::string>& layers(const std::string& name, std::string_view weight) const;

  /// All layers that have the given weight, in the order of the file.
  const std::vector<std::string>& layers_with(std::string_view weight) const;

  /// Maps each tensor of one of these layers to its layer, and in nested layers to the inner one.
  /// `layers` must outlive the result.
  std::map<std::string_view, std::string_view> parts_of(const std::set<std::string>& layers) const;

  /// A layer's name without wrappers, if the short name means only this layer; otherwise the full
  /// name.
  std::string short_name(const std::string& layer, std::string_view weight) const;

 private:
  std::string file_;
  PutTogether given_;
  std::map<std::string, const io::ArrayView*> arrays_;
  std::map<std::string, spec::Sizes> shapes_;
  std::vector<std::string> order_;
  // Caches: callers ask for the same layers many times, and a file may have many names.
  mutable std::map<std::string, std::vector<std::string>> layers_, layers_with_;
  bool bare_ = false, has_order_ = false, has_recurrent_ = false;
};

}  // namespace unroll::importer
