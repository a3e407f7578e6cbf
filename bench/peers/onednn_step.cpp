// Times oneDNN's recurrent layer alone, forward and backward: no batch, readout, loss, clipping or
// SGD, and the weights in oneDNN's own layout from the start.
//
//     onednn_step --workload train/rnn_relu/t28_i28_h100_n100 --threads 2 --seconds 2
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using dnnl::memory;
using Tag = memory::format_tag;

struct Sizes {
  std::string model;  // rnn_relu, rnn_tanh, lstm, gru
  memory::dim steps, inputs, hidden, batch;

  memory::dim gates() const { return model == "lstm" ? 4 : model == "gru" ? 3 : 1; }
  /// A GRU with the reset gate behind the product has two biases of its candidate.
  memory::dim biases() const { return model == "gru" ? 4 : gates(); }
};

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  std::exit(2);
}

Sizes sizes_of(const std::string& workload) {
  char model[9];
  long t, i, h, n;
  int end = 0;
  const std::set<std::string> models{"rnn_relu", "rnn_tanh", "lstm", "gru"};
  if (std::sscanf(workload.c_str(), "train/%8[a-z_]/t%ld_i%ld_h%ld_n%ld%n", model, &t, &i, &h, &n,
                  &end) != 5 ||
      workload.size() != static_cast<std::size_t>(end) || std::min({t, i, h, n}) < 1 ||
      !models.count(model))
    fail("[workload] '" + workload +
         "', expected train/rnn_relu/t28_i28_h100_n100 or the like: one layer of rnn_relu, "
         "rnn_tanh, lstm or gru");
  return {model, t, i, h, n};
}

memory::desc f32(const memory::dims& dims, Tag tag) { return {dims, memory::data_type::f32, tag}; }

/// The shapes that all kinds of layers share. A first state of zeros is always given: with none,
/// oneDNN 2.6.3's gradient of the recurrent weights is wrong (it takes the state after a step for
/// the one before). The last state is in dst.
struct Shapes {
  explicit Shapes(const Sizes& s)
      : src(f32({s.steps, s.batch, s.inputs}, Tag::tnc)),
        dst(f32({s.steps, s.batch, s.hidden}, Tag::tnc)),
        state(f32({1, 1, s.batch, s.hidden}, Tag::ldnc)),
        bias(f32({1, 1, s.biases(), s.hidden}, Tag::ldgo)),
        w_layer(f32({1, 1, s.inputs, s.gates(), s.hidden}, Tag::any)),
        w_iter(f32({1, 1, s.hidden, s.gates(), s.hidden}, Tag::any)) {}

  memory::desc src, dst, state, bias, w_layer, w_iter;
};

/// Both passes, and the layouts that oneDNN chose for them.
struct Passes {
  template <class Forward, class Backward>
  static Passes of(const typename Forward::desc& forward_desc,
                   const typename Backward::desc& backward_desc, const dnnl::engine& engine) {
    const typename Forward::primitive_desc forward(forward_desc, engine);
    const typename Backward::primitive_desc backward(backward_desc, engine, forward);
    return {Forward(forward),
            Backward(backward),
            forward.workspace_desc(),
            forward.weights_layer_desc(),
            forward.weights_iter_desc(),
            backward.weights_layer_desc(),
            backward.weights_iter_desc(),
            backward.diff_weights_layer_desc(),
            backward.diff_weights_iter_desc()};
  }

  dnnl::primitive forward, backward;
  memory::desc workspace, w_layer, w_iter, w_layer_backward, w_iter_backward, diff_w_layer,
      diff_w_iter;
};

Passes passes_of(const Sizes& s, const Shapes& x, const dnnl::engine& engine) {
  using namespace dnnl;
  constexpr auto left2right = rnn_direction::unidirectional_left2right;
  constexpr auto training = prop_kind::forward_training, backward = prop_kind::backward;
  const memory::desc none;
  if (s.model == "lstm")
    return Passes::of<lstm_forward, lstm_backward>(
        {training, left2right, x.src, x.state, x.state, x.w_layer, x.w_iter, x.bias, x.dst, none,
         none},
        {backward,  left2right, x.src,  x.state, x.state, x.w_layer, x.w_iter,
         x.bias,    x.dst,      none,   none,    x.src,   x.state,   x.state,
         x.w_layer, x.w_iter,   x.bias, x.dst,   none,    none},
        engine);
  if (s.model == "gru")
    return Passes::of<lbr_gru_forward, lbr_gru_backward>(
        {training, left2right, x.src, x.state, x.w_layer, x.w_iter, x.bias, x.dst, none},
        {backward, left2right, x.src, x.state, x.w_layer, x.w_iter, x.bias, x.dst, none, x.src,
         x.state, x.w_layer, x.w_iter, x.bias, x.dst, none},
        engine);
  const auto kind = s.model == "rnn_relu" ? algorithm::eltwise_relu : algorithm::eltwise_tanh;
  return Passes::of<vanilla_rnn_forward, vanilla_rnn_backward>(
      {training, kind, left2right, x.src, x.state, x.w_layer, x.w_iter, x.bias, x.dst, none},
      {backward, kind, left2right, x.src, x.state, x.w_layer, x.w_iter, x.bias, x.dst, none, x.src,
       x.state, x.w_layer, x.w_iter, x.bias, x.dst, none},
      engine);
}

/// One layer over a whole sequence, its gradients included.
class Layer {
 public:
  explicit Layer(const Sizes& s) {
    const Shapes shapes(s);
    const Passes passes = passes_of(s, shapes, engine_);
    forward_ = passes.forward;
    backward_ = passes.backward;

    const float bound = 1 / std::sqrt(static_cast<float>(s.hidden));
    const memory source = made(shapes.src, 0, 1), biases = made(shapes.bias, -bound, bound);
    const memory output = made(shapes.dst, 0, 0), workspace(passes.workspace, engine_);
    const memory plain_layer =
        made(f32({1, 1, s.inputs, s.gates(), s.hidden}, Tag::ldigo), -bound, bound);
    const memory plain_iter =
        made(f32({1, 1, s.hidden, s.gates(), s.hidden}, Tag::ldigo), -bound, bound);
    const memory first_state = made(shapes.state, 0, 0), first_cell = made(shapes.state, 0, 0);
    forward_arguments_ = {{DNNL_ARG_SRC_LAYER, source},
                          {DNNL_ARG_SRC_ITER, first_state},
                          {DNNL_ARG_WEIGHTS_LAYER, packed(plain_layer, passes.w_layer)},
                          {DNNL_ARG_WEIGHTS_ITER, packed(plain_iter, passes.w_iter)},
                          {DNNL_ARG_BIAS, biases},
                          {DNNL_ARG_DST_LAYER, output},
                          {DNNL_ARG_WORKSPACE, workspace}};

    // The loss looks at the last time step only.
    const memory diff_output = made(shapes.dst, 0, 0);
    float* gradient = static_cast<float*>(diff_output.get_data_handle());
    for (memory::dim k = 0; k < s.batch * s.hidden; ++k)
      gradient[(s.steps - 1) * s.batch * s.hidden + k] = (k % 2 ? 1e-3f : -1e-3f);
    diff_weights_ = {memory(passes.diff_w_layer, engine_), memory(passes.diff_w_iter, engine_),
                     memory(shapes.bias, engine_)};
    backward_arguments_ = {{DNNL_ARG_SRC_LAYER, source},
                           {DNNL_ARG_SRC_ITER, first_state},
                           {DNNL_ARG_WEIGHTS_LAYER, packed(plain_layer, passes.w_layer_backward)},
                           {DNNL_ARG_WEIGHTS_ITER, packed(plain_iter, passes.w_iter_backward)},
                           {DNNL_ARG_BIAS, biases},
                           {DNNL_ARG_DST_LAYER, output},
                           {DNNL_ARG_WORKSPACE, workspace},
                           {DNNL_ARG_DIFF_SRC_LAYER, memory(shapes.src, engine_)},
                           {DNNL_ARG_DIFF_SRC_ITER, memory(shapes.state, engine_)},
                           {DNNL_ARG_DIFF_WEIGHTS_LAYER, diff_weights_[0]},
                           {DNNL_ARG_DIFF_WEIGHTS_ITER, diff_weights_[1]},
                           {DNNL_ARG_DIFF_BIAS, diff_weights_[2]},
                           {DNNL_ARG_DIFF_DST_LAYER, diff_output}};
    if (s.model == "lstm") {
      forward_arguments_.emplace(DNNL_ARG_SRC_ITER_C, first_cell);
      backward_arguments_.emplace(DNNL_ARG_SRC_ITER_C, first_cell);
      backward_arguments_.emplace(DNNL_ARG_DIFF_SRC_ITER_C, memory(shapes.state, engine_));
    }
  }

  void step() {
    forward_.execute(stream_, forward_arguments_);
    // oneDNN adds to the gradients.
    for (const memory& m : diff_weights_)
      std::memset(m.get_data_handle(), 0, m.get_desc().get_size());
    backward_.execute(stream_, backward_arguments_);
    stream_.wait();
  }

 private:
  memory made(const memory::desc& desc, float low, float high) {
    memory m(desc, engine_);
    std::uniform_real_distribution<float> uniform(low, high);
    float* values = static_cast<float*>(m.get_data_handle());
    for (std::size_t i = 0; i < desc.get_size() / sizeof(float); ++i)
      values[i] = low < high ? uniform(random_) : low;
    return m;
  }

  memory packed(memory plain, const memory::desc& desc) {
    memory m(desc, engine_);
    dnnl::reorder(plain, m).execute(stream_, plain, m);
    stream_.wait();
    return m;
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::mt19937 random_{0};
  dnnl::primitive forward_, backward_;
  std::vector<memory> diff_weights_;
  std::unordered_map<int, memory> forward_arguments_, backward_arguments_;
};

double milliseconds_of(Layer& layer) {
  const auto start = std::chrono::steady_clock::now();
  layer.step();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

std::vector<double> measure(Layer& layer, double seconds) {
  std::vector<double> times;
  // A fifth of the time to warm up, then what counts.
  for (const double part : {0.2 * seconds, seconds}) {
    times.clear();
    double spent = 0;
    while (times.size() < 3 || spent < part * 1e3) {
      times.push_back(milliseconds_of(layer));
      spent += times.back();
    }
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace

int main(int count, char** words) try {
  std::map<std::string, std::string> flags{
      {"--workload", ""}, {"--threads", "1"}, {"--seconds", "2"}};
  for (int i = 1; i < count; i += 2) {
    if (!flags.count(words[i]) || i + 1 == count)
      fail("usage: onednn_step --workload NAME [--threads K] [--seconds S]");
    flags[words[i]] = words[i + 1];
  }
  const Sizes sizes = sizes_of(flags["--workload"]);
  const int threads = std::atoi(flags["--threads"].c_str());
  if (threads < 1) fail("[threads] '" + flags["--threads"] + "', expected at least 1");
  omp_set_num_threads(threads);
  Layer layer(sizes);
  const std::vector<double> times = measure(layer, std::atof(flags["--seconds"].c_str()));
  const dnnl_version_t* version = dnnl_version();
  std::printf(
      "{\"system\":\"oneDNN %d.%d.%d\",\"workload\":\"%s\",\"threads\":%d,\"best_ms\":%.6g,"
      "\"median_ms\":%.6g,\"runs\":%zu}\n",
      version->major, version->minor, version->patch, flags["--workload"].c_str(), threads,
      times.front(), times[times.size() / 2], times.size());
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
