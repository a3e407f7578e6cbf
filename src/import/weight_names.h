// The names that layers have in a file, and the names that they get here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "import/state_dict.h"
#include "unroll/spec/model_spec.h"

namespace unroll::importer {

/// A file's weights by name. Names lose what wraps a whole model ("module." of DataParallel,
/// "_orig_mod." of torch.compile, "model."), unless two would then be one. A bare layer's, without
/// a dot, get the name "rnn", or "fc" for nn.Linear; those of nn.RNNCell and its like the "_l0"
/// that they lack.
class WeightNames {
 public:
  /// The state_dict must outlive this.
  explicit WeightNames(const StateDict& state);

  const std::string& file() const { return file_; }  ///< its name
  const std::map<std::string, const io::ArrayView*>& all() const { return arrays_; }
  const std::map<std::string, spec::Sizes>& shapes() const { return shapes_; }
  const std::vector<std::string>& in_order() const { return order_; }  ///< of the file
  /// Whether that is the order of the network's class, as in a .pt: safetensors sorts names.
  bool has_order() const { return has_order_; }

  /// What layers of this name are called in the file: itself, or all whose name ends in ".NAME", or
  /// a bare layer; they have the weight of that name ("weight_ih_l0"). None, one or several.
  std::vector<std::string> layers(const std::string& name, std::string_view weight) const;

  /// All layers that have a weight of that name, in the order of the file.
  std::vector<std::string> layers_with(std::string_view weight) const;

 private:
  std::string file_;
  std::map<std::string, const io::ArrayView*> arrays_;
  std::map<std::string, spec::Sizes> shapes_;
  std::vector<std::string> order_;
  bool bare_ = false, has_order_ = false;
};

}  // namespace unroll::importer
