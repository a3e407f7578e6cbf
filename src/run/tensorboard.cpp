#include "run/tensorboard.h"

#include <fmt/format.h>

#include <cstdint>
#include <protozero/pbf_builder.hpp>

#include "run/confusion_picture.h"
#include "run/histogram.h"
#include "run/tfrecord.h"

namespace unroll::run {
namespace {

// The numbers of the messages' fields in event.proto and summary.proto.
enum class EventField : protozero::pbf_tag_type {
  wall_time = 1,
  step = 2,
  file_version = 3,
  summary = 5
};
enum class SummaryField : protozero::pbf_tag_type { value = 1 };
enum class ValueField : protozero::pbf_tag_type { tag = 1, simple_value = 2, image = 4, histo = 5 };
enum class ImageField : protozero::pbf_tag_type {
  height = 1,
  width = 2,
  colorspace = 3,
  encoded_image_string = 4
};
enum class HistogramField : protozero::pbf_tag_type {
  min = 1,
  max = 2,
  num = 3,
  sum = 4,
  sum_squares = 5,
  bucket_limit = 6,
  bucket = 7
};

template <class Tag>
using Builder = protozero::pbf_builder<Tag>;

/// The values of one step, which become one record.
class Summary {
 public:
  explicit Summary(std::int64_t step) : step_(step) {}

  void add(const std::string& tag, double number) {
    Builder<ValueField> value = add_value(tag);
    value.add_float(ValueField::simple_value, static_cast<float>(number));
  }
  void add(const std::string& tag, const Picture& picture) {
    constexpr int kRgb = 3;
    Builder<ValueField> value = add_value(tag);
    Builder<ImageField> image(value, ValueField::image);
    image.add_int32(ImageField::height, static_cast<std::int32_t>(picture.height));
    image.add_int32(ImageField::width, static_cast<std::int32_t>(picture.width));
    image.add_int32(ImageField::colorspace, kRgb);
    image.add_bytes(ImageField::encoded_image_string, picture.png);
  }
  void add(const std::string& tag, const Histogram& h) {
    Builder<ValueField> value = add_value(tag);
    Builder<HistogramField> to(value, ValueField::histo);
    to.add_double(HistogramField::min, h.min);
    to.add_double(HistogramField::max, h.max);
    to.add_double(HistogramField::num, static_cast<double>(h.count));
    to.add_double(HistogramField::sum, h.sum);
    to.add_double(HistogramField::sum_squares, h.sum_of_squares);
    to.add_packed_double(HistogramField::bucket_limit, h.limits.begin(), h.limits.end());
    to.add_packed_double(HistogramField::bucket, h.counts.begin(), h.counts.end());
  }

  std::string record() const {
    std::string event;
    Builder<EventField> to(event);
    to.add_double(EventField::wall_time, static_cast<double>(step_));
    to.add_int64(EventField::step, step_);
    to.add_message(EventField::summary, values_);
    return tfrecord(event);
  }

 private:
  Builder<ValueField> add_value(const std::string& tag) {
    Builder<ValueField> value(summary_, SummaryField::value);
    value.add_string(ValueField::tag, tag);
    return value;
  }

  std::int64_t step_;
  std::string values_;
  Builder<SummaryField> summary_{values_};
};

}  // namespace

void TensorBoard::begin() {
  if (folder_.has_events()) return;
  std::string event;
  Builder<EventField> to(event);
  to.add_double(EventField::wall_time, 0);
  to.add_string(EventField::file_version, "brain.Event:2");
  folder_.log_event(tfrecord(event));
}

void TensorBoard::step(const train::StepResult& result) {
  Summary summary(result.step);
  summary.add("train/loss", result.loss);
  summary.add("train/gradient_norm", result.grad_norm);
  summary.add("train/learning_rate", result.lr);
  folder_.log_event(summary.record());
}

void TensorBoard::evaluation(const train::StepResult& result, const train::Evaluation& evaluation) {
  Summary summary(result.step);
  const std::string part = fmt::format("{}/", train::name_of(evaluation.part));
  summary.add(part + "loss", evaluation.loss);
  for (const train::Metric& metric : evaluation.metrics)
    summary.add(part + metric.key(), metric.value);
  if (evaluation.confusion)
    summary.add(part + "confusion", confusion_picture(*evaluation.confusion));
  for (const Parameter& p : trainer_.parameters()) {
    summary.add("parameters/" + p.name, histogram_of(p.value));
    if (const Tensor gradient = p.value.grad(); gradient.defined())
      summary.add("gradients/" + p.name, histogram_of(gradient));
  }
  folder_.log_event(summary.record());
  folder_.flush_events();
}

}  // namespace unroll::run
