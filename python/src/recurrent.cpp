// unroll._core.Recurrent: recurrent layers on memory that Python owns, by its addresses. An address
// of 0 is no memory. Python checks types, shapes and strides before.
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bindings.h"
#include "core/float_environment.h"
#include "core/workspace.h"
#include "kernels/recurrent_layout.h"
#include "kernels/stack.h"
#include "kernels/stack_episodes.h"
#include "openmp.h"
#include "unroll/core/error.h"

namespace unroll::python {
namespace {

namespace nb = nanobind;
using kernels::LayerFactors;
using kernels::PackedStack;
using kernels::RecurrentWeights;
using kernels::Sequence;
using kernels::StackCall;
using kernels::StackShape;

using Address = std::uintptr_t;
using Addresses = std::vector<Address>;
/// Address, elements from step to step, and from row to row.
using Place = std::array<std::ptrdiff_t, 3>;

template <class T>
T* at(Address address) {
  return reinterpret_cast<T*>(address);
}

/// Memory for scratch, which keeps freed blocks for the next step. It outlives everything that
/// allocates.
std::pmr::memory_resource* workspace() {
  static auto* const one = new Workspace;
  return one;
}

template <class T>
class Scratch {
 public:
  explicit Scratch(std::size_t count)
      : bytes_(count * sizeof(T)), data_(static_cast<T*>(workspace()->allocate(bytes_, kLine))) {}
  ~Scratch() { workspace()->deallocate(data_, bytes_, kLine); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() const { return data_; }

 private:
  static constexpr std::size_t kLine = 64;
  std::size_t bytes_;
  T* data_;
};

/// Packed weights, of f32 or f64. They never change.
struct Packed {
  std::shared_ptr<const PackedStack<float>> f32;
  std::shared_ptr<const PackedStack<double>> f64;
  std::uint64_t fingerprint = 0;

  template <class T>
  auto& of() {
    if constexpr (std::is_same_v<T, float>)
      return f32;
    else
      return f64;
  }
};

/// The packed weights for a stack of this size. Throws ShapeError if they are of another one.
template <class T>
const PackedStack<T>& of_size(Packed& packed, std::size_t elements) {
  const auto& weights = packed.of<T>();
  if (!weights || weights->bytes() != elements * sizeof(T))
    throw ShapeError("recurrent", "the packed weights are of another layer or type");
  return *weights;
}

/// The sizes of one call.
struct Call {
  StackShape shape;
  std::size_t packed_size = 0;  // elements of the packed weights
  bool f64 = false;
  std::vector<std::size_t> lengths, first_row;  // (N), (T); empty if all sequences have T steps
  std::optional<kernels::Episodes> episodes;    // of sequences in which some end

  /// Whether threads would take longer to meet than one needs for a pass.
  bool small() const {
    constexpr std::size_t kLittleWork = std::size_t{1} << 21;  // multiplications: a tenth of a ms
    const kernels::RecurrentShape& first = shape.first;
    return first.steps * first.batch * first.gates() * first.hidden *
               (shape.count() * first.output() + shape.directions * first.input +
                (shape.count() - shape.directions) * shape.width()) <=
           kLittleWork;
  }
};

class Recurrent {
 public:
  Recurrent(int cell, std::size_t input, std::size_t hidden, std::size_t projection,
            std::size_t layers, std::size_t directions, bool bias, bool layer_norm) {
    shape_.layers = layers;
    shape_.directions = directions;
    kernels::RecurrentShape& first = shape_.first;
    first.cell = static_cast<kernels::Cell>(cell);
    first.input = input;
    first.hidden = hidden;
    first.projection = projection;
    first.bias = bias;
    first.layer_norm = layer_norm;
    first.steps = first.batch = 1;
    for (const WeightRole role : all_weight_roles)
      if (kernels::weight_size(first, role) > 0) roles_.push_back(role);
    for (std::size_t index = 0; index < shape_.count(); ++index)
      packed_size_ += kernels::RecurrentPlan(shape_.of(index / directions, 0)).packed_size;
  }

  std::size_t weights() const { return shape_.count() * roles_.size(); }

  /// `resets` (T, N) of uint8: not 0 where an episode begins; or 0.
  Call call(bool f64, std::size_t steps, std::size_t batch, Address resets) const {
    Call made{shape_, packed_size_, f64, {}, {}, {}};
    made.shape.first.steps = steps;
    made.shape.first.batch = batch;
    if (resets) made.episodes.emplace(at<const std::uint8_t>(resets), steps, batch);
    return made;
  }
  /// Of `rows` rows as in a PackedSequence. Anybody can make one of any batch_sizes (T).
  Call packed_call(bool f64, std::size_t rows, std::size_t steps, Address batch_sizes) const {
    const auto* const sizes = at<const std::int64_t>(batch_sizes);
    auto left = static_cast<std::int64_t>(rows);
    for (std::size_t t = 0; t < steps; ++t) {
      if (sizes[t] < 1 || sizes[t] > left || (t > 0 && sizes[t] > sizes[t - 1]))
        throw ShapeError("recurrent",
                         fmt::format("batch_sizes[{}] of the PackedSequence is {}; expected sizes "
                                     "of at least 1 that descend and add up to its {} rows",
                                     t, sizes[t], rows));
      left -= sizes[t];
    }
    if (left > 0)
      throw ShapeError("recurrent", fmt::format("batch_sizes of the PackedSequence add up to {}, "
                                                "expected the {} rows of its data",
                                                static_cast<std::int64_t>(rows) - left, rows));
    Call made = call(f64, steps, static_cast<std::size_t>(sizes[0]), 0);
    made.first_row.resize(steps);
    made.lengths.resize(made.shape.first.batch);
    std::size_t row = 0;
    for (std::size_t t = 0; t < steps; ++t) {
      made.first_row[t] = row;
      row += static_cast<std::size_t>(sizes[t]);
      const auto next = t + 1 < steps ? static_cast<std::size_t>(sizes[t + 1]) : 0;
      for (std::size_t n = next; n < static_cast<std::size_t>(sizes[t]); ++n)
        made.lengths[n] = t + 1;
    }
    return made;
  }

  template <class T>
  std::vector<RecurrentWeights<T>> weights_at(const Addresses& addresses) const {
    return per_role<const T>(addresses);
  }

  template <class T>
  std::vector<PerRole<T*>> per_role(const Addresses& addresses) const {
    check_count(addresses);
    std::vector<PerRole<T*>> all(shape_.count());
    auto next = addresses.begin();
    for (PerRole<T*>& layer : all)
      for (const WeightRole role : roles_) layer[role] = at<T>(*next++);
    return all;
  }

  /// The weights, packed now.
  template <class T>
  Packed pack(const Addresses& addresses) const {
    Packed made;
    made.of<T>() = std::make_shared<PackedStack<T>>(shape_, weights_at<T>(addresses));
    return made;
  }

  /// The weights as packed before, if their fingerprint is still the same.
  template <class T>
  Packed current(const Addresses& addresses) {
    check_count(addresses);
    std::uint64_t fingerprint = sizeof(T);
    std::size_t index = 0;
    for (std::size_t l = 0; l < shape_.count(); ++l) {
      const kernels::RecurrentShape shape = shape_.of(l / shape_.directions, 0);
      for (const WeightRole role : roles_)
        fingerprint = kernels::table<T>().fingerprint(
            at<const T>(addresses[index++]), kernels::weight_size(shape, role), fingerprint);
    }
    if (kept_.of<T>() && kept_.fingerprint == fingerprint) return kept_;
    ++packs;
    Packed made = pack<T>(addresses);
    made.fingerprint = fingerprint;
    kept_ = made;
    return made;
  }

  /// One time step of a stack with one direction, on this thread. h, c, next_h and next_c are
  /// (L, N, .) without gaps; out (N, P) is a copy of the last layer's next_h, or 0.
  template <class T>
  void step(Packed& packed, std::size_t batch, Address x, std::ptrdiff_t x_row, Address h,
            Address c, Address next_h, Address next_c, Address out) {
    const FloatEnvironment environment;
    const PackedStack<T>& weights = of_size<T>(packed, packed_size_);
    if (batch != plan_batch_) plan(batch);
    const T* in = at<const T>(x);
    const std::size_t outputs = batch * shape_.first.output(), hidden = batch * shape_.first.hidden;
    for (std::size_t l = 0; l < shape_.layers; ++l) {
      kernels::RecurrentStep<T> step;
      step.shape = plan_shapes_[l];
      step.packed = weights.at(l);
      step.input = in;
      step.input_row = x_row;
      if (h) step.h = at<const T>(h) + l * outputs;
      step.next_h = at<T>(next_h) + l * outputs;
      if (c) step.c = at<const T>(c) + l * hidden;
      if (next_c) step.next_c = at<T>(next_c) + l * hidden;
      step.scratch = reinterpret_cast<T*>(plan_scratch_->data());
      kernels::step(step, plans_[l]);
      in = step.next_h;
      x_row = static_cast<std::ptrdiff_t>(shape_.first.output());
    }
    if (out) std::copy_n(in, outputs, at<T>(out));
  }

  std::size_t packs = 0;  // how often `current` packed, for tests

 private:
  void check_count(const Addresses& addresses) const {
    if (addresses.size() != weights())
      throw ShapeError("recurrent",
                       fmt::format("{} weights given, expected {}", addresses.size(), weights()));
  }

  void plan(std::size_t batch) {
    plan_batch_ = 0;  // no plan, if there is no memory for one
    plans_.clear();
    plan_shapes_.clear();
    std::size_t most = 0;
    for (std::size_t l = 0; l < shape_.layers; ++l) {
      kernels::RecurrentShape shape = shape_.of(l, 0);
      shape.batch = batch;
      most = std::max(most, kernels::RecurrentPlan(shape).saved_size(shape, 1));
      plans_.emplace_back(shape);
      plan_shapes_.push_back(shape);
    }
    plan_scratch_ = std::make_unique<Scratch<double>>(std::max<std::size_t>(most, 1));
    plan_batch_ = batch;
  }

  StackShape shape_;
  std::size_t packed_size_ = 0;
  std::vector<WeightRole> roles_;
  Packed kept_;
  // Of single steps. Steps hold the interpreter's lock, so one of each is enough.
  std::size_t plan_batch_ = 0;
  std::vector<kernels::StepPlan> plans_;
  std::vector<kernels::RecurrentShape> plan_shapes_;
  std::unique_ptr<Scratch<double>> plan_scratch_;
};

/// For each layer and direction the addresses of the factors of its input, state, candidate, and
/// zones of h and c; or nothing. W_hh has its own factors already.
using Masks = std::vector<std::array<Address, 5>>;

/// A call with its memory. Lives as long as one pass.
template <class T>
struct Bound {
  StackCall<T> stack;
  std::vector<LayerFactors<T>> factors;

  Bound(const Call& call, const Masks& masks, double zone_h, double zone_c) {
    stack.shape = call.shape;
    if (!call.lengths.empty()) stack.shape.first.lengths = call.lengths.data();
    const kernels::RecurrentShape& first = call.shape.first;
    for (std::size_t i = 0; i < masks.size(); ++i) {
      const auto& m = masks[i];
      LayerFactors<T>& to = factors.emplace_back();
      to.input = rows<const T>(call, m[0], call.shape.input(i / call.shape.directions));
      to.masks.state = at<const T>(m[1]);
      to.masks.candidate = rows<const T>(call, m[2], first.hidden);
      to.masks.zone_h = rows<const T>(call, m[3], first.output());
      to.masks.zone_c = rows<const T>(call, m[4], first.hidden);
    }
    stack.factors = factors;
    stack.zone_h_rate = static_cast<T>(zone_h);
    stack.zone_c_rate = static_cast<T>(zone_c);
  }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

  /// (T, N, columns) without gaps, or the rows of a PackedSequence.
  template <class U>
  static Sequence<U> rows(const Call& call, Address address, std::size_t columns) {
    if (!address) return {};
    const auto row = static_cast<std::ptrdiff_t>(columns);
    return {at<U>(address), static_cast<std::ptrdiff_t>(call.shape.first.batch) * row, row,
            first_row(call)};
  }
  template <class U>
  static Sequence<U> sequence(const Call& call, const Place& place) {
    if (!place[0]) return {};
    return {at<U>(static_cast<Address>(place[0])), place[1], place[2], first_row(call)};
  }

  void bind(const Call& call, const Place& x, Address h_0, Address c_0, Address output,
            Address memory) {
    stack.input = sequence<const T>(call, x);
    stack.h_0 = at<const T>(h_0);
    stack.c_0 = at<const T>(c_0);
    stack.output = rows<T>(call, output, call.shape.width());
    stack.memory = at<T>(memory);
  }

 private:
  static const std::size_t* first_row(const Call& call) {
    return call.first_row.empty() ? nullptr : call.first_row.data();
  }
};

/// f(T*) for the call's type.
template <class F>
auto by_type(bool f64, F f) {
  return f64 ? f(static_cast<double*>(nullptr)) : f(static_cast<float*>(nullptr));
}

/// f(episodes...): with the episodes of a call that has some, else without an argument.
template <class F>
auto with_episodes(const Call& call, F f) {
  return call.episodes ? f(*call.episodes) : f();
}

kernels::Keep keep(bool for_backward) {
  return for_backward ? kernels::Keep::for_backward : kernels::Keep::nothing;
}

std::size_t memory_of(const Call& call, bool for_backward, const Masks& masks, double zone_h,
                      double zone_c) {
  return by_type(call.f64, [&]<class T>(T*) {
    Bound<T> bound(call, masks, zone_h, zone_c);
    // Whether there are outputs counts, not where.
    alignas(64) static T somewhere{};
    bound.stack.output.data = &somewhere;
    return with_episodes(call, [&](const auto&... episodes) {
      return kernels::stack_memory(bound.stack, episodes..., keep(for_backward));
    });
  });
}

void forward(const Call& call, Packed& packed, bool for_backward, const Place& x, Address h_0,
             Address c_0, Address output, Address h_n, Address c_n, Address memory,
             const Masks& masks, double zone_h, double zone_c) {
  const FloatEnvironment environment;
  const OnOneThread scope(call.small());
  by_type(call.f64, [&]<class T>(T*) {
    Bound<T> bound(call, masks, zone_h, zone_c);
    bound.bind(call, x, h_0, c_0, output, memory);
    bound.stack.packed = &of_size<T>(packed, call.packed_size);
    bound.stack.h_n = at<T>(h_n);
    bound.stack.c_n = at<T>(c_n);
    with_episodes(call, [&](const auto&... episodes) {
      kernels::forward(bound.stack, episodes..., keep(for_backward));
    });
  });
}

void backward(const Recurrent& layer, const Call& call, const Addresses& weights, Packed* packed,
              const Place& x, Address h_0, Address c_0, Address output, Address memory,
              const Masks& masks, double zone_h, double zone_c, const Place& grad_output,
              Address grad_h_n, Address grad_c_n, const Place& grad_x, Address grad_h_0,
              Address grad_c_0, const Addresses& grad_weights) {
  const FloatEnvironment environment;
  const OnOneThread scope(call.small());
  by_type(call.f64, [&]<class T>(T*) {
    const kernels::RecurrentShape& first = call.shape.first;
    Bound<T> bound(call, masks, zone_h, zone_c);
    bound.bind(call, x, h_0, c_0, output, memory);
    if (packed) bound.stack.packed = &of_size<T>(*packed, call.packed_size);
    const auto data = layer.weights_at<T>(weights);
    const auto gradients = layer.per_role<T>(grad_weights);
    const auto of_layers = [&](Address address, std::size_t columns) {
      std::vector<const T*> all;
      for (std::size_t i = 0; address && i < call.shape.count(); ++i)
        all.push_back(at<const T>(address) + i * first.batch * columns);
      return all;
    };
    const auto h_n = of_layers(grad_h_n, first.output()), c_n = of_layers(grad_c_n, first.hidden);
    kernels::StackGradients<T> pass;
    pass.weights = data;
    pass.output = Bound<T>::template sequence<const T>(call, grad_output);
    pass.grad_count = pass.output.data ? first.steps : 0;
    pass.h_n = h_n;
    pass.c_n = c_n;
    pass.input = Bound<T>::template sequence<T>(call, grad_x);
    pass.h_0 = at<T>(grad_h_0);
    pass.c_0 = at<T>(grad_c_0);
    pass.of_weights = gradients;
    with_episodes(call, [&](const auto&... episodes) {
      const Scratch<T> scratch(kernels::stack_backward_scratch(bound.stack, episodes...));
      pass.scratch = scratch.data();
      kernels::backward(bound.stack, episodes..., pass);
    });
  });
}

}  // namespace

void bind_recurrent(nb::module_& module) {
  using namespace nb::literals;
  using unlocked = nb::call_guard<nb::gil_scoped_release>;
  nb::class_<Packed>(module, "Packed");
  nb::class_<Call>(module, "Call")
      .def("memory", &memory_of, "for_backward"_a, "masks"_a, "zone_h"_a, "zone_c"_a)
      .def("forward", &forward, unlocked(), "packed"_a, "for_backward"_a, "x"_a, "h_0"_a, "c_0"_a,
           "output"_a, "h_n"_a, "c_n"_a, "memory"_a, "masks"_a, "zone_h"_a, "zone_c"_a);
  nb::class_<Recurrent>(module, "Recurrent")
      .def(nb::init<int, std::size_t, std::size_t, std::size_t, std::size_t, std::size_t, bool,
                    bool>(),
           "cell"_a, "input"_a, "hidden"_a, "projection"_a, "layers"_a, "directions"_a, "bias"_a,
           "layer_norm"_a)
      .def_ro("packs", &Recurrent::packs)
      .def("call", &Recurrent::call, "f64"_a, "steps"_a, "batch"_a, "resets"_a)
      .def("packed_call", &Recurrent::packed_call, "f64"_a, "rows"_a, "steps"_a, "batch_sizes"_a)
      .def(
          "pack",
          [](const Recurrent& self, bool f64, const Addresses& weights) {
            const nb::gil_scoped_release unlocked;
            return by_type(f64, [&]<class T>(T*) { return self.pack<T>(weights); });
          },
          "f64"_a, "weights"_a)
      .def(
          "current",
          [](Recurrent& self, bool f64, const Addresses& weights) {
            return by_type(f64, [&]<class T>(T*) { return self.current<T>(weights); });
          },
          "f64"_a, "weights"_a)
      .def("backward", &backward, unlocked(), "call"_a, "weights"_a, "packed"_a.none(), "x"_a,
           "h_0"_a, "c_0"_a, "output"_a, "memory"_a, "masks"_a, "zone_h"_a, "zone_c"_a,
           "grad_output"_a, "grad_h_n"_a, "grad_c_n"_a, "grad_x"_a, "grad_h_0"_a, "grad_c_0"_a,
           "grad_weights"_a)
      .def(
          "step",
          [](Recurrent& self, bool f64, Packed& packed, std::size_t batch, Address x,
             std::ptrdiff_t x_row, Address h, Address c, Address next_h, Address next_c,
             Address out) {
            by_type(f64, [&]<class T>(T*) {
              self.step<T>(packed, batch, x, x_row, h, c, next_h, next_c, out);
            });
          },
          "f64"_a, "packed"_a, "batch"_a, "x"_a, "x_row"_a, "h"_a, "c"_a, "next_h"_a, "next_c"_a,
          "out"_a);
}

}  // namespace unroll::python
