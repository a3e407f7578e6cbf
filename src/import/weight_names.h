// The names that layers have in a file, and the names that they get here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

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

  const std::map<std::string, const io::ArrayView*>& all() const { return arrays_; }
  const std::map<std::string, spec::Sizes>& shapes() const { return shapes_; }

  /// What a layer of this name is called in the file: itself, or the only one whose name ends in
  /// ".NAME", or a bare layer; it has the weight of that name ("weight_ih_l0").
  std::optional<std::string> layer(const std::string& name, std::string_view weight) const;

 private:
  std::map<std::string, const io::ArrayView*> arrays_;
  std::map<std::string, spec::Sizes> shapes_;
  bool bare_ = false;
};

}  // namespace unroll::importer
