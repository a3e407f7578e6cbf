// unroll.Stream: sequences that run step by step.
#include "unroll/infer/stream.h"

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "arrays.h"
#include "bindings.h"
#include "model.h"
#include "stream_text.h"
#include "unroll/core/error.h"

namespace unroll::python {
namespace {

namespace nb = nanobind;
using namespace nb::literals;

std::string shape_text(std::span<const Py_ssize_t> shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

/// The elements of `mask` that are true, one for each of `count` sequences.
std::vector<bool> mask_of(nb::handle given, std::size_t count) {
  const nb::object mask =
      nb::module_::import_("numpy").attr("array")(given, "dtype"_a = "bool", "order"_a = "C");
  const auto size = nb::cast<std::size_t>(mask.attr("size"));
  if (size != count || nb::cast<int>(mask.attr("ndim")) > 1)
    throw ShapeError(
        "stream", fmt::format("the mask has shape {}, expected ({},): true for each sequence that "
                              "starts again",
                              text_of(nb::object(mask.attr("shape"))), count));
  std::vector<bool> flags(count);
  const nb::bytes bytes(mask.attr("tobytes")());
  for (std::size_t n = 0; n < count; ++n) flags[n] = static_cast<const char*>(bytes.data())[n] != 0;
  return flags;
}

template <class T>
class Sequences {
 public:
  Sequences(const infer::Model<T>& model, std::size_t count)
      : stream_(model.stream(count)), inputs_(model.inputs()), outputs_(model.outputs()) {}

  std::size_t count() const { return stream_.count(); }
  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return outputs_; }

  nb::object step(nb::handle given, nb::handle out) {
    const Buffer x = view<T>(given);
    if (!is_step(x.shape())) misfit(x.shape(), 0);
    const bool alone = is_alone(x.shape().size());
    if (!out.is_none()) {
      const Buffer to = result_view<T>(out, count() * outputs_, "(N, C), of one step");
      stream_.step(x.template values<T>(), to.template out<T>());
      return nb::borrow(out);
    }
    nb::object& shape = alone ? one_ : all_;
    if (!shape.is_valid())
      shape = alone ? nb::make_tuple(outputs_) : nb::make_tuple(count(), outputs_);
    nb::object result = empty_array(shape, dtype_of<T>());
    const auto to = Buffer::of<T>(result, true);
    stream_.step(x.template values<T>(), to->template out<T>());
    return result;
  }

  nb::object process(nb::handle given, nb::handle out) {
    const Buffer x = view<T>(given);
    const auto shape = x.shape();
    if (shape.empty() || !is_step(shape.subspan(1))) misfit(shape, 1);
    const auto steps = static_cast<std::size_t>(shape[0]);
    nb::object result = nb::borrow(out);
    if (out.is_none()) {
      std::vector<std::size_t> sizes{steps};
      if (!is_alone(shape.size() - 1)) sizes.push_back(count());
      sizes.push_back(outputs_);
      result = empty_array(sizes, dtype_of<T>());
    }
    const Buffer to = result_view<T>(result, steps * count() * outputs_, "(T, N, C)");
    const auto in = x.template values<T>();
    const auto results = to.template out<T>();
    // A result that lies in the input would change steps that are still to be read.
    std::vector<T> copy;
    if (in.data() < results.data() + results.size() && results.data() < in.data() + in.size())
      copy.assign(in.begin(), in.end());
    const nb::gil_scoped_release unlocked;
    stream_.process(copy.empty() ? in : std::span<const T>(copy), results, steps);
    return result;
  }

  void reset(nb::handle done) {
    if (done.is_none()) return stream_.reset();
    const std::vector<bool> mask = mask_of(done, count());
    for (std::size_t n = 0; n < mask.size(); ++n)
      if (mask[n]) stream_.reset(n);
  }

  nb::list state() const {
    nb::list layers;
    for (std::size_t l = 0; l < stream_.layers(); ++l) {
      if (stream_.c(l).empty())
        layers.append(array_of(stream_.h(l)));
      else
        layers.append(nb::make_tuple(array_of(stream_.h(l)), array_of(stream_.c(l))));
    }
    return layers;
  }

  void set_state(nb::handle given) {
    const nb::list layers(given);
    if (layers.size() != stream_.layers())
      throw ShapeError("stream", fmt::format("the state has {} layers, expected {}: h of each, or "
                                             "(h, c) of an LSTM",
                                             layers.size(), stream_.layers()));
    infer::Stream<T> changed = stream_;  // all of the state is taken, or nothing
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const bool memory = !stream_.c(l).empty();
      const nb::object layer = layers[l];
      if (memory != nb::isinstance<nb::tuple>(layer) || (memory && nb::len(layer) != 2))
        throw ShapeError("stream", fmt::format("the state of layer {} is expected as {}", l,
                                               memory ? "a tuple (h, c)" : "an array h"));
      const Buffer h = view<T>(memory ? nb::object(layer[0]) : layer);
      check_state(h, stream_.h(l).size(), "h", l);
      if (!memory) {
        changed.set_state(l, h.template values<T>());
        continue;
      }
      const Buffer c = view<T>(nb::object(layer[1]));
      check_state(c, stream_.c(l).size(), "c", l);
      changed.set_state(l, h.template values<T>(), c.template values<T>());
    }
    stream_ = std::move(changed);
  }

 private:
  /// Whether the step's sizes are (N, I); also (I) of one sequence, and (N) of one number each.
  bool is_step(std::span<const Py_ssize_t> shape) const {
    const auto n = static_cast<Py_ssize_t>(count()), i = static_cast<Py_ssize_t>(inputs_);
    if (shape.size() == 2) return shape[0] == n && shape[1] == i;
    if (shape.size() == 1) return (n == 1 && shape[0] == i) || (i == 1 && shape[0] == n);
    return shape.empty() && n == 1 && i == 1;
  }

  /// Whether the answer to a step with so many dimensions has none for the sequences.
  bool is_alone(std::size_t dimensions) const { return dimensions < 2 && count() == 1; }

  [[noreturn]] void misfit(std::span<const Py_ssize_t> shape, int process) const {
    const std::string step = fmt::format("({}, {})", count(), inputs_);
    throw ShapeError(
        "stream",
        process ? fmt::format("the steps have shape {}, expected (T, {}, {}): steps first, then "
                              "sequences",
                              shape_text(shape), count(), inputs_)
                : fmt::format("the step has shape {}, expected {}: one step of each sequence",
                              shape_text(shape), step));
  }

  nb::object array_of(std::span<const T> values) const {
    nb::object array = empty_array(std::array{count(), values.size() / count()}, dtype_of<T>());
    std::ranges::copy(values, Buffer::of<T>(array, true)->template out<T>().begin());
    return array;
  }

  void check_state(const Buffer& given, std::size_t size, const char* name,
                   std::size_t layer) const {
    const auto n = static_cast<Py_ssize_t>(count()), width = static_cast<Py_ssize_t>(size) / n;
    const auto shape = given.shape();
    if (shape.size() != 2 || shape[0] != n || shape[1] != width)
      throw ShapeError("stream", fmt::format("{} of layer {} has shape {}, expected ({}, {})", name,
                                             layer, shape_text(shape), n, width));
  }

  infer::Stream<T> stream_;
  std::size_t inputs_, outputs_;
  nb::object one_, all_;  // shapes of a result
};

/// Refuses calls while another thread computes without the GIL.
class Stream {
 public:
  Stream(const Model& model, std::size_t count)
      : sequences_(std::visit(
            [&]<class T>(const infer::Model<T>& runs) -> Any { return Sequences<T>(runs, count); },
            model.runs)) {}
  Stream(const Stream& other) : sequences_((other.check_free(), other.sequences_)) {}
  Stream(Stream&&) = default;

  template <class F>
  auto use(F&& work) {
    check_free();
    const Busy busy(busy_);
    return std::visit(work, sequences_);
  }
  std::size_t count() const {
    return std::visit([](const auto& s) { return s.count(); }, sequences_);
  }
  std::size_t inputs() const {
    return std::visit([](const auto& s) { return s.inputs(); }, sequences_);
  }
  std::size_t outputs() const {
    return std::visit([](const auto& s) { return s.outputs(); }, sequences_);
  }

 private:
  using Any = std::variant<Sequences<float>, Sequences<double>>;

  struct Busy {
    explicit Busy(bool& f) : flag(f) { flag = true; }
    ~Busy() { flag = false; }
    bool& flag;
  };

  void check_free() const {
    if (busy_)
      throw ValueError("stream",
                       "the stream is in use, perhaps by another thread; give each thread its "
                       "own: stream.copy()");
  }

  Any sequences_;
  bool busy_ = false;
};

}  // namespace

void bind_stream(nb::module_& module) {
  nb::class_<Stream>(module, "Stream", stream_text::stream)
      .def(
          "__init__",
          [](Stream* self, const Model& model, std::size_t batch) {
            new (self) Stream(model, batch);
          },
          "model"_a, "batch"_a)
      .def(
          "step",
          [](Stream& s, nb::handle x, nb::handle out) {
            return s.use([&](auto& sequences) { return sequences.step(x, out); });
          },
          "x"_a, "out"_a = nb::none(),
          nb::sig("def step(self, x: ArrayLike, out: NDArray | None = None) -> NDArray"),
          stream_text::step)
      .def(
          "process",
          [](Stream& s, nb::handle x, nb::handle out) {
            return s.use([&](auto& sequences) { return sequences.process(x, out); });
          },
          "x"_a, "out"_a = nb::none(),
          nb::sig("def process(self, x: ArrayLike, out: NDArray | None = None) -> NDArray"),
          stream_text::process)
      .def(
          "reset",
          [](Stream& s, nb::handle done) {
            s.use([&](auto& sequences) { sequences.reset(done); });
          },
          "done"_a = nb::none(), nb::sig("def reset(self, done: ArrayLike | None = None) -> None"),
          stream_text::reset)
      .def_prop_rw(
          "state",
          [](Stream& s) { return s.use([](auto& sequences) { return sequences.state(); }); },
          [](Stream& s, nb::handle state) {
            s.use([&](auto& sequences) { sequences.set_state(state); });
          },
          stream_text::state)
      .def(
          "copy", [](const Stream& s) { return Stream(s); }, nb::sig("def copy(self) -> Stream"),
          stream_text::copy)
      .def("__copy__", [](const Stream& s) { return Stream(s); })
      .def("__deepcopy__", [](const Stream& s, nb::handle) { return Stream(s); })
      .def_prop_ro("batch", &Stream::count, stream_text::batch)
      .def_prop_ro("inputs", &Stream::inputs, stream_text::inputs)
      .def_prop_ro("outputs", &Stream::outputs, stream_text::outputs)
      .def("__repr__", [](const Stream& s) {
        return fmt::format("Stream(batch={}, inputs={}, outputs={})", s.count(), s.inputs(),
                           s.outputs());
      });
}

}  // namespace unroll::python
