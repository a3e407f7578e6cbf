#include "nn/recurrent_masks.h"

#include <fmt/format.h>

#include <optional>

#include "nn/batch_mask.h"
#include "nn/rows.h"
#include "nn/sequence_rows.h"
#include "unroll/autograd/ops.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

/// The masks of a layer and direction. The order decides which random numbers each gets, so keep
/// it.
enum class Mask : std::uint32_t {
  dropout,
  keep_x,
  keep_h,
  keep_candidate,
  zone_h,
  zone_c,
  keep_weight_hh,
  count
};

/// Makes the masks of one call.
class Maker {
 public:
  Maker(std::string_view operation, DType dtype, const Tensor& order, MaskSource& source)
      : operation_(operation), dtype_(dtype), order_(order), source_(source) {}

  void set_place(std::size_t layer, std::size_t direction) {
    layer_ = layer;
    direction_ = direction;
  }

  /// The factors of a mask, keep / (1 - p); undefined if nothing is masked.
  Tensor factors(Mask which, std::string_view name, const Tensor& given, const Shape& shape,
                 double p, int batch_dim) {
    const double kept = p < 1 ? 1 / (1 - p) : 0;
    if (given.defined()) return checked(name, given, shape, batch_dim) * kept;
    return drawn(which, shape, batch_dim, p, 1 - p, kept);
  }

  /// 1 with probability p.
  Tensor zone(Mask which, std::string_view name, const Tensor& given, const Shape& shape,
              double p) {
    if (given.defined()) return checked(name, given, shape, 1);
    return drawn(which, shape, 1, p, p, 1);
  }

 private:
  /// Elements are `one` with probability `ones`, else 0. Undefined if the rate p is 0.
  Tensor drawn(Mask which, const Shape& shape, int batch_dim, double p, double ones, double one) {
    if (p == 0) return {};
    if (!key_) key_ = source_.next();
    MaskKey key = *key_;
    const auto place = static_cast<std::uint32_t>(2 * layer_ + direction_);
    key.layer = place * static_cast<std::uint32_t>(Mask::count) + static_cast<std::uint32_t>(which);
    return batch_mask(shape, batch_dim, ones, key, dtype_, one);
  }

  Tensor checked(std::string_view name, const Tensor& given, const Shape& shape, int batch_dim) {
    if (given.shape() != shape || given.dtype() != dtype_)
      throw ShapeError(operation_, fmt::format("mask {} of layer {}{} is {} of shape {}, expected "
                                               "{} of shape {}",
                                               name, layer_, direction_ == 1 ? " reverse" : "",
                                               name_of(given.dtype()), given.shape().str(),
                                               name_of(dtype_), shape.str()));
    const Tensor mask = given.detach().contiguous();
    return order_.defined() && batch_dim >= 0 ? permute_rows(mask, batch_dim, order_) : mask;
  }

  std::string_view operation_;
  DType dtype_;
  const Tensor& order_;
  MaskSource& source_;
  std::optional<MaskKey> key_;  // key of this call; drawn at the first mask
  std::size_t layer_ = 0, direction_ = 0;
};

/// The product of factors for each step (T, N, I) and factors for all steps (N, I).
Tensor joined(const Tensor& each_step, const Tensor& all_steps) {
  if (!each_step.defined()) return all_steps;
  if (all_steps.defined())
    dispatch("mask", each_step.dtype(), [&]<class T>(T*) {
      combine_rows<T>(each_step, all_steps, [](T a, T b) { return a * b; });
    });
  return each_step;
}

void refuse(std::string_view operation, bool given, std::string_view what, std::string_view why) {
  if (given) throw ValueError(operation, fmt::format("{} is given, but {}", what, why));
}

constexpr std::string_view no_memory = "only Lstm has a c",
                           shared = "both directions use the forward direction's",
                           no_candidate =
                               "a plain recurrent layer has no candidate; use "
                               "variational_dropout.state";

}  // namespace

void check_regularisation(std::string_view operation, const CellTraits& traits,
                          const RecurrentOptions& options) {
  const RecurrentRegularisation& r = options.regularisation;
  const auto check = [&](std::string_view name, double p) {
    if (!(p >= 0 && p <= 1))
      throw ValueError(operation, fmt::format("{} is {}, expected 0 to 1", name, p));
  };
  check("dropout", options.dropout);
  check("variational_dropout.input", r.variational_dropout.input);
  check("variational_dropout.state", r.variational_dropout.state);
  check("recurrent_dropout", r.recurrent_dropout);
  check("zoneout.h", r.zoneout.h);
  check("zoneout.c", r.zoneout.c);
  check("weight_drop", r.weight_drop);
  refuse(operation, traits.gates == 1 && r.recurrent_dropout > 0, "recurrent_dropout",
         no_candidate);
  refuse(operation, !traits.memory && r.zoneout.c > 0, "zoneout.c", no_memory);
}

void set_factors(StackCall& call, std::string_view operation, const RecurrentOptions& options,
                 bool training, std::span<const RecurrentMasks> given, const Tensor& order,
                 MaskSource& source) {
  const RecurrentRegularisation& r = options.regularisation;
  const kernels::RecurrentShape& shape = call.shape.first;
  const std::size_t count = call.shape.count();
  if (!given.empty() && given.size() != count)
    throw ShapeError(
        operation,
        fmt::format("{} RecurrentMasks are given, expected {}: one for each layer and direction",
                    given.size(), count));
  call.zone_h_rate = r.zoneout.h;
  call.zone_c_rate = r.zoneout.c;
  call.factors.resize(count);
  if (!training) return;
  const auto size = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  const std::int64_t steps = size(shape.steps), batch = size(shape.batch);
  const std::int64_t hidden = size(shape.hidden), state = size(shape.output());
  const CellTraits traits = shape.traits();
  const RecurrentMasks none;
  Maker make(operation, options.dtype, order, source);
  for (std::size_t layer = 0; layer < call.shape.layers; ++layer)
    for (std::size_t direction = 0; direction < call.shape.directions; ++direction) {
      make.set_place(layer, direction);
      const std::size_t at = layer * call.shape.directions + direction;
      const RecurrentMasks& masks = given.empty() ? none : given[at];
      LayerFactors& to = call.factors[at];
      if (direction == 0) {
        const std::int64_t input = size(call.shape.input(layer));
        refuse(operation, layer == 0 && masks.keep_input.defined(), "keep_input of the first layer",
               "dropout is between layers; use keep_x");
        to.input = joined(make.factors(Mask::dropout, "keep_input", masks.keep_input,
                                       {steps, batch, input}, layer == 0 ? 0 : options.dropout, 1),
                          make.factors(Mask::keep_x, "keep_x", masks.keep_x, {batch, input},
                                       r.variational_dropout.input, 0));
      } else {
        refuse(operation, masks.keep_input.defined(), "keep_input of a reverse direction", shared);
        refuse(operation, masks.keep_x.defined(), "keep_x of a reverse direction", shared);
      }
      to.state = make.factors(Mask::keep_h, "keep_h", masks.keep_h, {batch, state},
                              r.variational_dropout.state, 0);
      refuse(operation, (traits.gates == 1 || shape.custom) && masks.keep_candidate.defined(),
             "keep_candidate", no_candidate);
      to.candidate = make.factors(Mask::keep_candidate, "keep_candidate", masks.keep_candidate,
                                  {steps, batch, hidden}, r.recurrent_dropout, 1);
      to.zone_h =
          make.zone(Mask::zone_h, "zone_h", masks.zone_h, {steps, batch, state}, r.zoneout.h);
      refuse(operation, !traits.memory && masks.zone_c.defined(), "zone_c", no_memory);
      to.zone_c =
          make.zone(Mask::zone_c, "zone_c", masks.zone_c, {steps, batch, hidden}, r.zoneout.c);
      to.weight_hh = make.factors(Mask::keep_weight_hh, "keep_weight_hh", masks.keep_weight_hh,
                                  {size(traits.gates) * hidden, state}, r.weight_drop, -1);
    }
}

}  // namespace unroll::nn
