#include "export/cpp_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "export/cpp_functions.h"
#include "export/cpp_text.h"
#include "export/int8.h"
#include "spec/cells.h"
#include "spec/layer_weights.h"

namespace unroll::exporter {
namespace {

using spec::Readout;
using enum WeightRole;

std::string name_of_cell(const spec::RecurrentSpec& r) {
  const spec::CellInfo& cell = spec::info_of(r);
  return cell.has_nonlinearity() ? fmt::format("{} {}", spec::name_of(r.nonlinearity), cell.title)
                                 : std::string(cell.title);
}

/// Visits the layers in order, and adds each one's text to the parts.
class Writer {
 public:
  Writer(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights, bool int8)
      : features_(spec::features_of(spec)), int8_(int8) {
    for (const io::ArrayView& array : weights) values_[array.name] = finite_floats(array);
    for (std::size_t i = 0; i < spec.layers.size(); ++i)
      if (std::holds_alternative<spec::RecurrentSpec>(spec.layers[i]) ||
          std::holds_alternative<spec::Conv1dSpec>(spec.layers[i]))
        last_with_state_ = i;
    if (!last_with_state_) statement("if (!out) return");
    for (; at_ < spec.layers.size(); ++at_) {
      keep_input(spec);
      std::visit(*this, spec.layers[at_]);
    }
    if (x_ != "out") copy(x_, features_.back().size(), "out");
    if (sums_ > 0) add_field("sums_", sums_);
    for (const auto& [name, size] : buffers_) add_field(name, size);
    parts_.object_bytes =
        std::max<std::size_t>(parts_.object_bytes, 1);  // C++ has no smaller object
    parts_.functions = cpp_functions(used_);
  }

  void operator()(const spec::LinearSpec& l) {
    const std::string to = next_buffer();
    comment(fmt::format("linear: {} to {}", l.in_features, l.out_features));
    start(l.bias ? constant(l.name + ".bias") : "", l.out_features, to);
    multiply(l.name + ".weight", x_, l.in_features, l.out_features, to);
    x_ = to;
  }

  void operator()(const spec::ActivationSpec& a) {
    const std::string to = next_buffer();
    apply(spec::name_of(a.function), x_, features_[at_].size(), to);
    x_ = to;
  }

  void operator()(const spec::RecurrentSpec& r) {
    for (std::int64_t l = 0; l < r.num_layers; ++l) {
      comment(fmt::format("{}{}: {} to {}", name_of_cell(r),
                          r.num_layers > 1 ? fmt::format(", layer {}", l) : "",
                          l == 0 ? r.input_size : r.state_size(), r.state_size()));
      recurrent_layer(r, l);
    }
    read_out(r);
  }

  void operator()(const spec::ScaleSpec& s) {
    const std::int64_t count = features_[at_].size();
    const auto each = [&](const std::vector<double>& values) {
      std::vector<float> all(values.begin(), values.end());
      all.resize(static_cast<std::size_t>(count), all.front());
      return all;
    };
    const std::string mean = constant("scale.mean", each(s.mean)),
                      std = constant("scale.std", each(s.std)), to = next_buffer();
    call("scale", mean, std, x_, count, to);
    x_ = to;
  }

  void operator()(const spec::EmbeddingSpec& e) {
    const std::string weight = e.name + ".weight", to = next_buffer();
    const auto rows = static_cast<std::size_t>(e.num_embeddings);
    comment(fmt::format("embedding: {} tokens to {}", e.num_embeddings, e.embedding_dim));
    if (int8_) {
      const Int8Matrix matrix = to_int8(values(weight), rows);
      const auto [id, scale] =
          constants(weight, matrix, matrix.values, matrix.values.size() / rows);
      call("embed_int8", id, scale, x_, e.num_embeddings, e.embedding_dim, to);
    } else {
      call("embed", constant(weight), x_, e.num_embeddings, e.embedding_dim, to);
    }
    x_ = to;
  }

  void operator()(const spec::LayerNormSpec& n) {
    const std::string to = next_buffer();
    comment(fmt::format("layer normalisation of {}", n.features));
    copy(x_, n.features, to);
    const std::vector<float> ones(static_cast<std::size_t>(n.features), 1), zeros(ones.size());
    const std::string weight = n.name + ".weight", bias = n.name + ".bias";
    call("normalise", constant(weight, n.elementwise_affine ? values(weight) : ones),
         constant(bias, n.has_bias() ? values(bias) : zeros), literal(static_cast<float>(n.eps)),
         n.features, to);
    x_ = to;
  }

  void operator()(const spec::ResidualSpec& r) {
    const std::int64_t count = features_[at_].size();
    comment(fmt::format("residual connection over {} layer{}", r.over, r.over == 1 ? "" : "s"));
    const std::string kept = inputs_[at_ - static_cast<std::size_t>(r.over)], to = next_buffer();
    copy(x_, count, to);
    call("add", kept, count, to);
    x_ = to;
  }

  /// Keeps the last steps in a ring. At steps between windows, the layers up to the last one with a
  /// state are left out.
  void operator()(const spec::Conv1dSpec& c) {
    const StepWindows& w = c.windows;
    comment(fmt::format("convolution over steps: {} to {}, kernel {}", c.in_channels,
                        c.out_channels, w.kernel));
    const std::string window = names_.unique(c.name + ".window") + "_", next = window + "next_";
    add_field(window, w.span() * c.in_channels);
    add_count(next);
    used_.insert("fill");
    parts_.reset += fmt::format("    fill(0.0f, {}, {});\n", w.span() * c.in_channels, window);
    copy(x_, c.in_channels, fmt::format("{} + {} * {}", window, next, c.in_channels));
    statement(fmt::format("{0} = ({0} + 1) % {1}", next, w.span()));
    if (w.stride > 1) {
      const std::string phase = window + "phase_", gives = window + "gives";
      add_count(phase);
      statement(fmt::format("const bool {} = {} == 0", gives, phase));
      statement(fmt::format("{0} = ({0} + 1) % {1}", phase, w.stride));
      parts_.step += fmt::format("    if ({}) {{\n", gives);
      ++open_;
    }
    if (at_ == last_with_state_) statement("if (!out) return");
    const std::string to = next_buffer();
    start(c.bias ? constant(c.name + ".bias") : "", c.out_channels, to);
    convolve(c, window, next, to);
    x_ = to;
  }

  void operator()(const spec::Conv2dSpec&) {}  // these three are never in a model of sequences
  void operator()(const spec::MaxPool2dSpec&) {}
  void operator()(const spec::FlattenSpec&) {}

  /// Moves the parts out. Call it once.
  CppParts take() { return std::move(parts_); }

 private:
  const std::vector<float>& values(const std::string& name) const { return values_.at(name); }

  // Constants. Each function returns the C++ name of the array that it wrote.

  std::string constant(const std::string& name) { return constant(name, values(name)); }

  std::string constant(const std::string& name, std::span<const float> numbers) {
    const std::string id = names_.unique(name);
    append_array(parts_.constants, id, numbers, numbers.size());
    parts_.weight_bytes += numbers.size_bytes();
    return id;
  }

  /// Writes a matrix in 8 bits: the `numbers`, `row` of them on a line, and the scales.
  std::pair<std::string, std::string> constants(const std::string& name, const Int8Matrix& matrix,
                                                std::span<const std::int8_t> numbers,
                                                std::size_t row) {
    const std::string id = names_.unique(name);
    append_array(parts_.constants, id, numbers, row);
    parts_.weight_bytes += numbers.size();
    return {id, constant(name + ".scale", matrix.scales)};
  }

  /// Writes the sum of two vectors. If only one exists, writes that one; "" if neither exists.
  std::string sum_constant(const std::string& name, const std::string& one,
                           const std::string& other) {
    const auto a = values_.find(one), b = values_.find(other);
    if (a == values_.end() && b == values_.end()) return "";
    if (a == values_.end()) return constant(name, b->second);
    std::vector<float> sum = a->second;
    if (b != values_.end())
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += b->second[i];
    return constant(name, sum);
  }

  // Statements of step().

  void statement(const std::string& text) { parts_.step += fmt::format("    {};\n", text); }
  void comment(const std::string& text) { parts_.step += fmt::format("    // {}\n", text); }

  template <class... Arguments>
  void call(std::string_view function, const Arguments&... arguments) {
    used_.insert(function);
    std::string list;
    for (const std::string& argument : {fmt::format("{}", arguments)...})
      list += (list.empty() ? "" : ", ") + argument;
    // C++ overloads these functions, so their suffix is not part of the C++ name.
    const std::string_view name = function.substr(
        0, std::min({function.size(), function.find("_all"), function.find("_int8")}));
    statement(fmt::format("{}({})", name, list));
  }

  void copy(const std::string& from, std::int64_t count, const std::string& to) {
    call("copy", from, count, to);
  }

  /// Starts sums from the bias, or from 0.
  void start(const std::string& bias, std::int64_t count, const std::string& sums) {
    if (bias.empty())
      call("fill", "0.0f", count, sums);
    else
      copy(bias, count, sums);
  }

  /// sums += W x, with the weight W (outputs, inputs).
  void multiply(const std::string& weight, const std::string& x, std::int64_t inputs,
                std::int64_t outputs, const std::string& sums) {
    const auto rows = static_cast<std::size_t>(outputs);
    if (!int8_) {
      const std::string id = names_.unique(weight);
      append_array(parts_.constants, id, std::span<const float>(transposed(values(weight), rows)),
                   rows);
      parts_.weight_bytes += values(weight).size() * sizeof(float);
      return call("multiply_add", id, x, inputs, outputs, sums);
    }
    const Int8Matrix matrix = to_int8(values(weight), rows);
    const auto [id, scale] = constants(weight, matrix, transposed(matrix.values, rows), rows);
    call("multiply_add_int8", id, scale, x, inputs, outputs, sums);
  }

  /// sums += the products of a convolution's weight (O, C / G, K) with the window whose oldest step
  /// is at `oldest`.
  void convolve(const spec::Conv1dSpec& c, const std::string& window, const std::string& oldest,
                const std::string& sums) {
    const std::string name = c.name + ".weight";
    const auto outputs = static_cast<std::size_t>(c.out_channels),
               groups = static_cast<std::size_t>(c.groups),
               kernel = static_cast<std::size_t>(c.windows.kernel), own_outputs = outputs / groups,
               inputs = static_cast<std::size_t>(c.in_channels) / groups;
    const auto packed = [&](const auto& weight) {  // (G, K, C / G, O / G)
      auto result = weight;
      for (std::size_t i = 0; i < weight.size(); ++i) {
        const std::size_t k = i % kernel, channel = i / kernel % inputs, o = i / kernel / inputs,
                          g = o / own_outputs;
        result[((g * kernel + k) * inputs + channel) * own_outputs + o % own_outputs] = weight[i];
      }
      return result;
    };
    const auto with = [&](std::string_view function, const auto&... weight) {
      call(function, weight..., window, oldest, c.windows.span(), c.windows.dilation, kernel,
           groups, inputs, own_outputs, sums);
    };
    if (int8_) {
      const Int8Matrix matrix = to_int8(values(name), outputs);
      const auto [id, scale] = constants(name, matrix, packed(matrix.values), own_outputs);
      return with("convolve_int8", id, scale);
    }
    const std::string id = names_.unique(name);
    append_array(parts_.constants, id, std::span<const float>(packed(values(name))), own_outputs);
    parts_.weight_bytes += values(name).size() * sizeof(float);
    with("convolve", id);
  }

  void apply(std::string_view function, const std::string& from, std::int64_t count,
             const std::string& to) {
    call(function == "relu"     ? "relu"
         : function == "tanh"   ? "tanh_all"
         : function == "symlog" ? "symlog"
                                : "sigmoid_all",
         from, count, to);
  }

  // Memory.

  void add_field(const std::string& name, std::int64_t size) {
    parts_.fields += fmt::format("  float {}[{}];\n", name, size);
    parts_.object_bytes += static_cast<std::size_t>(size) * sizeof(float);
  }

  /// A number that counts from 0.
  void add_count(const std::string& name) {
    parts_.fields += fmt::format("  uint32_t {};\n", name);
    parts_.object_bytes += sizeof(std::uint32_t);
    parts_.reset += fmt::format("    {} = 0;\n", name);
  }

  /// The buffer for the current layer's output: the caller's memory for the last layer, otherwise
  /// one of two buffers.
  std::string next_buffer() {
    if (at_ + 2 == features_.size()) return "out";
    return next_buffer(features_[at_ + 1].size());
  }
  std::string next_buffer(std::int64_t size) {
    const std::string name = x_ == "a_" ? "b_" : "a_";
    buffers_[name] = std::max(buffers_[name], size);
    return name;
  }

  /// Remembers the buffer that holds the current layer's input until the end of the step. Copies
  /// the input into a buffer of its own if a residual connection needs it later.
  void keep_input(const spec::ModelSpec& spec) {
    std::string place = x_;
    bool is_needed = false;
    for (std::size_t i = at_; i < spec.layers.size(); ++i)
      if (const auto* r = std::get_if<spec::ResidualSpec>(&spec.layers[i]))
        is_needed |= i - static_cast<std::size_t>(r->over) == at_;
    if (is_needed && buffers_.contains(x_)) {
      place = fmt::format("kept_{}_", at_);
      add_field(place, features_[at_].size());
      copy(x_, features_[at_].size(), place);
    }
    inputs_.push_back(place);
  }

  /// Adds a state of a layer, and the statement of reset() that sets its initial value.
  std::string state(const spec::RecurrentSpec& r, char kind, std::int64_t l, std::int64_t size) {
    const std::string id = names_.unique(fmt::format("{}.{}_l{}", r.name, kind, l)) + "_";
    add_field(id, size);
    if (r.learn_initial_state) {
      const std::span<const float> all = values(fmt::format("{}.{}_0", r.name, kind));
      const auto count = static_cast<std::size_t>(size);
      const std::string initial = constant(fmt::format("{}.{}_0_l{}", r.name, kind, l),
                                           all.subspan(static_cast<std::size_t>(l) * count, count));
      used_.insert("copy");
      parts_.reset += fmt::format("    copy({}, {}, {});\n", initial, size, id);
    } else {
      used_.insert("fill");
      parts_.reset += fmt::format("    fill(0.0f, {}, {});\n", size, id);
    }
    return id;
  }

  // Recurrent layers.

  void recurrent_layer(const spec::RecurrentSpec& r, std::int64_t l) {
    const std::int64_t units = r.hidden_size, outputs = r.state_size(), all = r.gates() * units;
    const std::string h = state(r, 'h', l, outputs);
    const spec::CellInfo& cell = spec::info_of(r);
    // Some cells and layer normalisation need the sums of input and state separately.
    const bool apart = wants_parts(cell) || r.layer_norm;
    sums_ = std::max(sums_, apart ? 2 * all : all);
    gate_sums(r, l, h, apart);

    // Sums that are no longer needed serve as buffers.
    const auto part = [&](std::int64_t number) {
      return number == 0 ? std::string("sums_") : fmt::format("sums_ + {}", number * units);
    };
    std::string fresh = r.zoneout_h > 0 ? part(0) : h;
    if (cell.has_nonlinearity()) {
      apply(spec::name_of(r.nonlinearity), "sums_", units, fresh);
    } else if (!cell.has_memory()) {
      call(cell.name, "sums_", part(r.gates()), units, h, fresh);
    } else {
      const std::string c = state(r, 'c', l, units);
      const std::string memory = r.zoneout_c > 0 ? part(0) : c;
      call("lstm_memory", "sums_", units, c, memory);
      std::string seen = memory;
      if (r.layer_norm) {
        seen = part(1);
        copy(memory, units, seen);
        normalise(r, l, norm_c_weight, "", units, seen);
      }
      if (r.zoneout_h > 0) fresh = part(2);
      if (r.proj_size > 0) {
        call("lstm_output", part(3), seen, units, part(2));
        if (r.zoneout_h > 0) fresh = part(1);
        call("fill", "0.0f", outputs, fresh);
        multiply(weight_name(r, weight_hr, l), part(2), units, outputs, fresh);
      } else {
        call("lstm_output", part(3), seen, units, fresh);
      }
      if (r.zoneout_c > 0) keep_zone(r.zoneout_c, memory, units, c);
    }
    if (r.zoneout_h > 0) keep_zone(r.zoneout_h, fresh, outputs, h);
    x_ = h;
  }

  /// Writes the gates' sums of the input and of the state.
  void gate_sums(const spec::RecurrentSpec& r, std::int64_t l, const std::string& h, bool apart) {
    const std::int64_t all = r.gates() * r.hidden_size, outputs = r.state_size();
    const std::string of_h = apart ? fmt::format("sums_ + {}", all) : "sums_";
    const std::string of_ih = weight_name(r, bias_ih, l), of_hh = weight_name(r, bias_hh, l);
    if (r.layer_norm)
      start("", all, "sums_");
    else if (apart)
      start(r.bias ? constant(of_ih) : "", all, "sums_");
    else
      start(sum_constant(fmt::format("{}.bias_l{}", r.name, l), of_ih, of_hh), all, "sums_");
    multiply(weight_name(r, weight_ih, l), x_, l == 0 ? r.input_size : outputs, all, "sums_");
    if (apart) start(r.bias && !r.layer_norm ? constant(of_hh) : "", all, of_h);
    multiply(weight_name(r, weight_hh, l), h, outputs, all, of_h);
    if (r.layer_norm) {
      normalise(r, l, norm_ih_weight, of_ih, all, "sums_");
      normalise(r, l, norm_hh_weight, of_hh, all, of_h);
      if (!wants_parts(spec::info_of(r))) call("add", of_h, all, "sums_");
    }
  }

  /// Whether some gate of a cell needs the sums of input and state separately.
  static bool wants_parts(const spec::CellInfo& cell) {
    return cell.traits().joint < cell.traits().gates;
  }

  static std::string weight_name(const spec::RecurrentSpec& r, WeightRole role, std::int64_t l) {
    return fmt::format("{}.{}", r.name, spec::weight_name(role, l));
  }

  /// `factors` is the role of the norm's factors; the role of its offsets is the next one. The
  /// layer's own bias is added to the offsets.
  void normalise(const spec::RecurrentSpec& r, std::int64_t l, WeightRole factors,
                 const std::string& bias, std::int64_t count, const std::string& x) {
    const auto offsets = static_cast<WeightRole>(static_cast<std::size_t>(factors) + 1);
    const std::string weight = constant(weight_name(r, factors, l)),
                      norm_bias = weight_name(r, offsets, l);
    call("normalise", weight, sum_constant(norm_bias, norm_bias, bias), literal(1e-5f), count, x);
  }

  void keep_zone(double rate, const std::string& fresh, std::int64_t count,
                 const std::string& state) {
    call("keep_zone", literal(static_cast<float>(rate)), fresh, count, state);
  }

  void read_out(const spec::RecurrentSpec& r) {
    const std::int64_t count = r.state_size();
    const bool means = r.readout == Readout::mean || r.readout == Readout::mean_last;
    const std::string h = x_;
    if (means || r.readout == Readout::max) {
      add_field("gathered_", count);
      used_.insert("fill");
      parts_.reset += fmt::format("    fill({}, {}, gathered_);\n",
                                  means ? "0.0f" : "-0x1.fffffep+127f", count);
      call(means ? "add" : "gather_largest", h, count, "gathered_");
      x_ = "gathered_";
    }
    if (means) {
      add_count("steps_");
      statement("++steps_");
    }
    if (at_ != last_with_state_) return;
    for (; open_ > 0; --open_) parts_.step += "    }\n";
    statement("if (!out) return");
    if (!means) return;
    const std::string to = next_buffer();
    call("mean", "gathered_", count, "steps_", to);
    if (r.readout == Readout::mean_last) copy(h, count, fmt::format("{} + {}", to, count));
    x_ = to;
  }

  const std::vector<spec::Features> features_;
  const bool int8_;
  std::map<std::string, std::vector<float>> values_;
  std::size_t at_ = 0;                          // index of the current layer
  std::optional<std::size_t> last_with_state_;  // recurrent, or a convolution over steps
  int open_ = 0;                                // braces in the step
  std::string x_ = "in";                        // the buffer with the current layer's input
  std::vector<std::string> inputs_;             // the buffer with the input of each layer so far
  CppParts parts_;
  CppNames names_;
  std::set<std::string_view> used_;
  std::map<std::string, std::int64_t> buffers_;  // sizes
  std::int64_t sums_ = 0;
};

}  // namespace

CppParts cpp_parts(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights, bool int8) {
  return Writer(spec, weights, int8).take();
}

}  // namespace unroll::exporter
