// Sources of samples: the input and the target of a model, and batches of both.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unroll/data/dataset.h"
#include "unroll/data/loader.h"
#include "unroll/data/series_settings.h"
#include "unroll/spec/model_spec.h"
#include "unroll/tensor/tensor.h"

namespace unroll::data {

/// The target: the answer that a model shall give. The loss, the metrics and the last layer follow
/// from it.
struct TargetSpec {
  enum class Kind {
    classes,       ///< one of `size` classes; targets (N) of i64
    values,        ///< `size` numbers; targets (N, size)
    step_classes,  ///< one of `size` classes at each step; targets (N, T) of i64, no_target at
                   ///< steps without a target
    next_token,    ///< the token after each step, one of `size`; targets as for step_classes
    step_values,   ///< `size` numbers at each step; targets (N, T, size), NaN without a target
  } kind = Kind::classes;
  std::int64_t size = 0;
  std::vector<std::string> names = {};  ///< names of the classes, values or tokens; may be empty
  double tolerance = 0;      ///< largest error of a right value; 0: right ones are not counted
  std::string answers = {};  ///< the noun for answers in results: "sums", "symbols"
  /// Mean and standard deviation of each value in the training part. If they are there, the model
  /// scales its last layer by them, and the loss is that of (value - mean) / std.
  std::vector<double> mean = {}, std = {};
  std::vector<double> class_weights = {};  ///< of the loss; empty: all 1
  bool detailed = false;  ///< results have more metrics, an interval and baselines; for series

  bool every_step() const { return kind != Kind::classes && kind != Kind::values; }
  bool has_values() const { return kind == Kind::values || kind == Kind::step_values; }
};

/// One sample of a part, chosen for a batch.
struct Pick {
  std::int64_t index = 0;
  std::uint32_t draw = 0;  ///< a random word for augmentation, if the source augments
};

/// A batch for a model and its loss. Filling it again reuses its memory.
struct Examples {
  Tensor inputs;                      ///< (N, T, I), (N, I), (N, C, H, W), or tokens (N, T) of i64
  Tensor targets;                     ///< shape and type: see TargetSpec::Kind
  std::vector<std::int64_t> lengths;  ///< steps of each sequence; empty: all have T
};

/// A data set, or an endless list of generated samples. docs/adding_a_data_source.md explains how
/// to add a new kind of data.
class Source {
 public:
  /// The size of a part that never ends.
  static constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();

  virtual ~Source() = default;

  virtual std::string name() const = 0;  ///< the name in results and models
  /// The name or folder that opens it again, for config.json.
  virtual std::string place() const { return name(); }
  virtual spec::InputSpec input() const = 0;
  virtual TargetSpec target() const = 0;

  virtual std::int64_t size(Split part) const = 0;  ///< samples; 0 if there is no such part
  /// The number of steps of each sample of a part; empty if all have the same number.
  virtual std::span<const std::int64_t> lengths(Split) const { return {}; }
  /// The SHA-256 of a part's content; empty for generated samples.
  virtual std::string sha256(Split) const { return {}; }
  /// Whether each use of a training sample needs a random word (Pick::draw).
  virtual bool augments() const { return false; }
  /// Whether results on the test part may be seen while training. If not, it is read once, after
  /// the last step.
  virtual bool tests_while_training() const { return true; }
  /// The same data whose training part has the validation part too, and without a validation part.
  /// Null if there is none. Both encode alike.
  virtual std::shared_ptr<const Source> with_validation() const { return nullptr; }
  /// The number of the series from which each sample of a part was cut; empty: each is a series.
  virtual std::span<const std::int64_t> series_of(Split) const { return {}; }
  /// The names of a part's series; may be empty.
  virtual std::vector<std::string> names(Split) const { return {}; }
  /// The value of each series of a part in the column SourceOptions::by; empty without one.
  virtual std::vector<std::string> values_by(Split) const { return {}; }
  /// The settings of series as they were resolved; null for other data.
  virtual const SeriesSettings* series_settings() const { return nullptr; }
  /// How a table becomes the input; nothing for other data.
  virtual std::optional<spec::TableSpec> table() const { return {}; }
  /// Facts for the object `data` of config.json, as a JSON object: files, counts, hashes of the
  /// parts. May be empty.
  virtual std::string facts() const { return {}; }
  /// The mean and standard deviation of all training pixels, computed anew; nothing without pixels.
  virtual std::optional<Normalization> pixel_scale() const { return {}; }

  /// Writes the picked samples to `to`, in this order, as f32 or f64. After the end of a sequence,
  /// inputs are 0 and targets no_target. Throws the errors of reading.
  virtual void batch(Split part, std::span<const Pick> picks, DType dtype, Examples& to) const = 0;
  /// The number of samples in one batch of a test. Limits memory. The sum of the losses depends on
  /// it.
  virtual std::int64_t test_batch() const;

  // Texts for messages.
  virtual std::string sizes_text() const = 0;          ///< a line for each part, with newlines
  virtual std::string inferred() const { return {}; }  ///< what was inferred, with newlines
  virtual std::string note() const { return {}; }      ///< anything unusual about it; may be empty
  virtual std::string remark() const { return {}; }    ///< goes behind each result; may be empty
};

}  // namespace unroll::data
