#include "export/onnx_readout.h"

#include <array>
#include <limits>
#include <span>
#include <vector>

namespace unroll::exporter {
namespace {

class ReadoutNodes {
 public:
  ReadoutNodes(OnnxGraph& graph, const spec::RecurrentSpec& r, const OnnxReadout& names)
      : graph_(graph), r_(r), names_(names) {}

  /// Turns h_n (D, N, H) into (N, D H).
  std::string last(const std::string& to) {
    if (!r_.bidirectional) return add("Squeeze", {names_.h_n, graph_.integers({0})}, to);
    const std::string turned = add("Transpose", {names_.h_n}, name("last_turned"),
                                   {{"perm", std::vector<std::int64_t>{1, 0, 2}}});
    return add("Reshape", {turned, graph_.integers({0, 2 * r_.hidden_size})}, to);
  }

  std::string max(const std::string& to, bool streaming) {
    constexpr float kLeast = -std::numeric_limits<float>::infinity();
    if (streaming) {
      carry("max", OnnxType::f32, r_.directions() * r_.hidden_size, kLeast,
            "may be left out at the beginning");
      const std::string now = add("Squeeze", {names_.x, graph_.integers({0})}, name("now"));
      return add("Identity", {add("Max", {name("max_0"), now}, name("max_n"))}, to);
    }
    return add("ReduceMax", {masked(kLeast)}, to,
               {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{0}}});
  }

  std::string mean(const std::string& to, bool streaming) {
    const std::string sum = streaming ? sum_so_far() : sum_of_all();
    const std::string steps = streaming ? steps_so_far() : steps_of_all();
    const std::string count =
        add("Cast", {steps}, name("count"), {{"to", static_cast<std::int64_t>(OnnxType::f32)}});
    return add("Div", {sum, count}, to);
  }

  std::string name(const char* token) const { return r_.name + "." + token; }

  std::string add(const char* op, const std::vector<std::string>& inputs, const std::string& to,
                  const std::vector<OnnxAttribute>& attributes = {}) {
    graph_.node(op, inputs, {to}, attributes);
    return to;
  }

 private:
  /// Every step, with `value` in steps after a sequence's end.
  std::string masked(float value) {
    if (names_.within.empty()) return names_.x;
    graph_.constant(name("past_the_end"), {}, std::span<const float>(&value, 1));
    return add("Where", {names_.within, names_.x, name("past_the_end")}, name("masked"));
  }

  std::string sum_of_all() {
    return add("ReduceSum", {masked(0), graph_.integers({0})}, name("sum"),
               {{"keepdims", std::int64_t{0}}});
  }

  /// The number of steps: (N, 1), or (1) if all sequences have the same length.
  std::string steps_of_all() {
    if (!names_.lengths.empty())
      return add("Unsqueeze", {names_.lengths, graph_.integers({1})}, name("steps"));
    const std::string shape = add("Shape", {names_.x}, name("shape"));
    return add("Slice", {shape, graph_.integers({0}), graph_.integers({1})}, name("steps"));
  }

  std::string sum_so_far() {
    carry("sum", OnnxType::f32, r_.directions() * r_.hidden_size, 0,
          "may be left out at the beginning");
    const std::string now = add("Squeeze", {names_.x, graph_.integers({0})}, name("now"));
    return add("Add", {name("sum_0"), now}, name("sum_n"));
  }

  std::string steps_so_far() {
    carry("steps", OnnxType::i64, 1, 0, "may be left out at the beginning");
    return add("Add", {name("steps_0"), graph_.integers({1})}, name("steps_n"));
  }

  /// Declares the input TOKEN_0, (N, width) or (1, width) for all sequences, and the output
  /// TOKEN_n.
  void carry(const std::string& token, OnnxType type, std::int64_t width, float begin,
             const char* meaning) {
    const std::string in = r_.name + "." + token + "_0", out = r_.name + "." + token + "_n";
    if (type == OnnxType::i64) {
      const std::vector<std::int64_t> values(static_cast<std::size_t>(width));
      graph_.constant(in, {1, width}, std::span<const std::int64_t>(values));
    } else {
      const std::vector<float> values(static_cast<std::size_t>(width), begin);
      graph_.constant(in, {1, width}, std::span<const float>(values));
    }
    graph_.input({in, type, {in + "_batch", width}, meaning});
    graph_.output({out,
                   type,
                   {type == OnnxType::i64 ? OnnxDimension(in + "_batch") : "batch", width},
                   "input of the next step"});
  }

  OnnxGraph& graph_;
  const spec::RecurrentSpec& r_;
  const OnnxReadout& names_;
};

}  // namespace

std::string add_onnx_readout(OnnxGraph& graph, const spec::RecurrentSpec& r,
                             const OnnxReadout& names, bool streaming) {
  ReadoutNodes readout(graph, r, names);
  switch (r.readout) {
    case spec::Readout::max:
      return readout.max(names.result, streaming);
    case spec::Readout::mean:
      return readout.mean(names.result, streaming);
    case spec::Readout::mean_last: {
      const std::string mean = readout.mean(readout.name("mean"), streaming);
      return readout.add("Concat", {mean, readout.last(readout.name("last"))}, names.result,
                         {{"axis", std::int64_t{1}}});
    }
    case spec::Readout::last:
    case spec::Readout::every_step:
      break;
  }
  return readout.last(names.result);
}

}  // namespace unroll::exporter
