// Where samples come from: what a model reads, what it is to answer, and batches of both.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "unroll/data/dataset.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

/// What a model is to answer. The loss, the metrics and the last layer follow from it.
struct TargetSpec {
  enum class Kind {
    classes,       ///< one of `size` classes; targets (N) of i64
    values,        ///< `size` numbers; targets (N, size)
    step_classes,  ///< one of `size` classes at each step; targets (N, T) of i64, no_target at
                   ///< steps without a question
    next_token,    ///< the token that follows each step, one of `size`; targets as step_classes
  } kind = Kind::classes;
  std::int64_t size = 0;
  std::vector<std::string> names = {};  ///< of the classes, values or tokens; may be empty
  double tolerance = 0;      ///< values: an answer this close counts as right; 0: none is counted
  std::string answers = {};  ///< what results call the answers: "sums", "symbols"

  bool every_step() const { return kind == Kind::step_classes || kind == Kind::next_token; }
};

/// One sample of a part, chosen for a batch.
struct Pick {
  std::int64_t index = 0;
  std::uint32_t draw = 0;  ///< decides how the sample is augmented, where the source augments
};

/// A batch as a model and its loss take it. Filled again, it reuses its memory.
struct Examples {
  Tensor inputs;                      ///< (N, T, I), (N, I), (N, C, H, W), or tokens (N, T) of i64
  Tensor targets;                     ///< as TargetSpec::Kind says
  std::vector<std::int64_t> lengths;  ///< steps of each sequence; empty: all have T
};

/// A data set, or an endless list of made-up samples. docs/adding_a_data_source.md lists what a
/// new kind of data needs.
class Source {
 public:
  /// The size of a part that never ends.
  static constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();

  virtual ~Source() = default;

  virtual std::string name() const = 0;  ///< as results and models call it
  /// What opens it again, for config.json.
  virtual std::string place() const { return name(); }
  virtual spec::InputSpec input() const = 0;
  virtual TargetSpec target() const = 0;

  virtual std::int64_t size(Split part) const = 0;  ///< samples; 0 where there is no such part
  /// Steps of each sample of a part; empty where all have the same number.
  virtual std::span<const std::int64_t> lengths(Split) const { return {}; }
  /// The SHA-256 of a part's content; empty for what is made from random numbers.
  virtual std::string sha256(Split) const { return {}; }
  /// Whether each use of a training sample needs a random word (Pick::draw).
  virtual bool augments() const { return false; }

  /// The samples with these indices, in this order, into `to`; f32 or f64. Padding behind the end
  /// of a sequence is 0, and no_target. Throws what reading throws.
  virtual void batch(Split part, std::span<const Pick> picks, DType dtype, Examples& to) const = 0;
  /// Samples that a test takes at a time. Bounds memory; the sum of the losses depends on it.
  virtual std::int64_t test_batch() const;

  // For people.
  virtual std::string sizes_text() const = 0;        ///< a line for each part, with its end
  virtual std::string note() const { return {}; }    ///< what is unusual about it; may be empty
  virtual std::string remark() const { return {}; }  ///< stands behind each result; may be empty
};

}  // namespace unroll::data
