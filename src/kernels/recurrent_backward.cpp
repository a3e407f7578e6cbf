#include <algorithm>
#include <utility>

#include "kernels/recurrent_backward_products.h"
#include "kernels/recurrent_weight_gradients.h"

namespace unroll::kernels {
namespace {

// A thread sums the gradients of a shard for this many steps at a time (divided by the gates),
// while their dz and states are in the cache.
constexpr std::size_t kOwnSteps = 14;

template <class T>
class Backward {
 public:
  explicit Backward(const RecurrentBackward<T>& call)
      : call_(call),
        s_(call.shape),
        traits_(s_.traits()),
        shards_(s_.shards()),
        time_(s_),
        sums_(s_),
        saved_(s_, s_.steps),
        scratch_(s_),
        gradient_(s_),
        kernels_(table<T>()),
        gemm_(product_of<T>(s_)),
        products_(call),
        weights_(call, time_) {}

  void run() {
    pack_backward(call_);
    if (shards_are_dealt_out(s_))
      run_shards();
    else
      run_tiles();
    if (s_.layer_norm) gather_norm();
  }

 private:
  void run_shards() const {
    const std::size_t steps = std::max<std::size_t>(1, kOwnSteps / s_.gates()),
                      chunks = std::max<std::size_t>(1, s_.steps / steps);
    Tasks(s_, Tasks::Of::shards, 0, s_.steps).run([&](Rows rows) {
      for_chunks(chunks, [&](std::size_t begin, std::size_t end) {
        back_in_time(rows, begin, end);
        for_shards(rows, [&](std::size_t shard, Rows of_shard) {
          weights_.sum_shard(shard, of_shard, begin, end);
        });
      });
    });
    weights_.add_shards();
  }

  void run_tiles() const {
    const TilePlan plan(s_);
    const Tasks::Of of = s_.layer_norm ? Tasks::Of::shards : Tasks::Of::rows;
    for_chunks(plan.chunks, [&](std::size_t begin, std::size_t end) {
      if (steps_are_shared(s_))
        back_in_shared_time(begin, end);
      else
        Tasks(s_, of, begin, end).run([&](Rows rows) { back_in_time(rows, begin, end); });
      weights_.sum_tiles(plan, begin, end);
    });
  }

  /// Calls f(begin, end) for `chunks` chunks of steps, the last chunk first.
  template <class F>
  void for_chunks(std::size_t chunks, F f) const {
    for (std::size_t chunk = chunks; chunk-- > 0;)
      f(chunk * s_.steps / chunks, (chunk + 1) * s_.steps / chunks);
  }

  /// Calls f(shard, rows) for each shard with some of these rows.
  template <class F>
  void for_shards(Rows rows, F f) const {
    for (std::size_t k = 0; k < shards_.count(); ++k) {
      const Rows both{std::max(rows.begin, shards_.begin(k)),
                      std::min(rows.end, shards_.begin(k + 1))};
      if (both.begin < both.end) f(k, both);
    }
  }

  // Memory: rows from n on of a matrix kept for each step, and of a matrix kept once.
  Matrix<T> of_step(T* from, std::size_t row, std::size_t s, std::size_t n) const {
    return {from + (time_.t(s) * s_.batch + n) * row, static_cast<std::ptrdiff_t>(row)};
  }
  Matrix<T> saved(std::size_t place, std::size_t row, std::size_t s, std::size_t n) const {
    return of_step(call_.saved + place, row, s, n);
  }
  Matrix<T> scratch(std::size_t place, std::size_t row, std::size_t n) const {
    return {call_.scratch + place + n * row, static_cast<std::ptrdiff_t>(row)};
  }
  Matrix<T> z(std::size_t s, std::size_t n) const {
    return of_step(sums_of(call_, saved_, scratch_), sums_.row, s, n);
  }
  static Matrix<const T> constant(Matrix<T> m) { return {m.data, m.row}; }
  /// Rows from n on of a dense (N, columns); null if `data` is null.
  template <class U>
  static Matrix<U> dense(U* data, std::size_t columns, std::size_t n) {
    return {data ? data + n * columns : nullptr, static_cast<std::ptrdiff_t>(columns)};
  }
  Matrix<const T> mask(const Sequence<const T>& masks, std::size_t s, std::size_t n) const {
    return {masks.data ? masks.at(time_.t(s), n) : nullptr, masks.row};
  }

  void back_in_time(Rows all, std::size_t begin, std::size_t end) const {
    if (s_.layer_norm && end == s_.steps)
      for_shards(all, [&](std::size_t shard, Rows) {
        std::fill_n(norm_gradients(shard), scratch_.norm_size, T{0});
      });
    const Columns units{0, s_.hidden};
    for (std::size_t s = end; s-- > begin;) {
      if (s_.fused())
        fused_step(s, all, units);
      else
        cell_step(s, all, units);
      give_first(s, time_.starting(s, all), {0, s_.output()});
    }
    if (call_.grad_input.data)
      for (std::size_t s = begin; s < end; ++s) hand_down(s, time_.active(s, all), {0, s_.input});
  }

  /// back_in_time for all rows; the threads share each step.
  void back_in_shared_time(std::size_t begin, std::size_t end) const {
    const Rows all{0, s_.batch};
    for (std::size_t s = end; s-- > begin;) {
      for_tiles(s_.hidden, [&](Columns units) {
        if (s_.fused())
          fused_step(s, all, units);
        else
          cell_step(s, all, units);
      });
      const Rows starting = time_.starting(s, all);
      if (starting.count() > 0)
        for_tiles(s_.hidden, [&](Columns units) { give_first(s, starting, units); });
    }
    if (call_.grad_input.data)
      for_tiles(s_.input, [&](Columns inputs) {
        for (std::size_t s = begin; s < end; ++s) hand_down(s, time_.active(s, all), inputs);
      });
  }

  // The gradient of the states.

  static Gemm<T> gemm_for(Rows rows, Columns columns) {
    Gemm<T> g;
    g.rows = rows.count();
    g.columns = columns.count();
    return g;
  }
  static void into(Gemm<T>& g, Matrix<T> out) {
    g.out = out.data;
    g.out_row = out.row;
  }
  /// The matrix from the first of these columns on.
  template <class U>
  static Matrix<U> from(Matrix<U> m, Columns columns) {
    return {m.data ? m.data + columns.begin : nullptr, m.row};
  }

  /// The gradient of the state before step s: through the products and past them.
  void carry(std::size_t s, Rows rows, Matrix<T> all_to, Columns units) const {
    const Matrix<T> past = from(scratch(scratch_.dh, saved_.output_row, rows.begin), units),
                    to = from(all_to, units);
    const bool has_past = traits_.direct || s_.zoneout;
    Gemm<T> g = gemm_for(rows, units);
    if (s_.state_dropout) {
      const Matrix<T> product = scratch(scratch_.kept_h, saved_.output_row, rows.begin);
      into(g, product);
      products_.multiply_state(g, constant(z(s, rows.begin)), units);
      const Matrix<const T> factors = dense(call_.masks.state, s_.output(), rows.begin);
      const Extent extent{rows.count(), s_.output()};
      if (!has_past) return kernels_.rows.multiply(extent, to, constant(product), factors);
      if (to.data != past.data) copy_rows(past, to, extent);
      return kernels_.rows.multiply_add(extent, to, constant(product), factors);
    }
    if (has_past) {
      g.init = past.data;
      g.init_row = past.row;
    }
    into(g, to);
    products_.multiply_state(g, constant(z(s, rows.begin)), units);
  }

  static void copy_rows(Matrix<T> from, Matrix<T> to, Extent extent) {
    for (std::size_t n = 0; n < extent.rows; ++n) std::copy_n(from.at(n), extent.columns, to.at(n));
  }
  /// Copies some columns of a matrix to scratch; zeros if it is null.
  static void fill_rows(Matrix<const T> with, Rows rows, Columns columns, Matrix<T> to) {
    const std::size_t count = columns.count();
    for (std::size_t n = 0; n < rows.count(); ++n)
      if (with.data)
        std::copy_n(with.at(n) + columns.begin, count, to.at(n) + columns.begin);
      else
        std::fill_n(to.at(n) + columns.begin, count, T{0});
  }

  /// The output's gradient at step s; null if there is none.
  Matrix<const T> from_outside(std::size_t s, std::size_t n) const {
    const std::size_t t = time_.t(s);
    if (!call_.grad_output.data || t < call_.grad_first || t - call_.grad_first >= call_.grad_count)
      return {};
    return {call_.grad_output.at(t - call_.grad_first, n), call_.grad_output.row};
  }

  /// Writes the gradients of the initial states of sequences that begin with step s.
  void give_first(std::size_t s, Rows rows, Columns units) const {
    if (rows.count() == 0) return;
    if (call_.grad_h_0) carry(s, rows, dense(call_.grad_h_0, s_.output(), rows.begin), units);
    if (call_.grad_c_0 && units.begin == 0)
      copy_rows(scratch(scratch_.dc, saved_.hidden_row, rows.begin),
                dense(call_.grad_c_0, s_.hidden, rows.begin), {rows.count(), s_.hidden});
  }

  /// dz_t = f'(h_t) (outside_t + W_hh^T dz_{t+1}), with the derivative applied in registers.
  void fused_step(std::size_t s, Rows all, Columns units) const {
    const auto part = [&](Rows rows, bool ends) {
      if (rows.count() == 0) return;
      Gemm<T> g = gemm_for(rows, units);
      Matrix<const T> start = from(from_outside(s, rows.begin), units);
      if (ends && call_.grad_h_n) {
        const Matrix<const T> last = from(dense(call_.grad_h_n, s_.hidden, rows.begin), units);
        if (start.data) {
          const Matrix<T> sum = from(scratch(scratch_.dh, saved_.output_row, rows.begin), units);
          const Extent extent{g.rows, g.columns};
          for (std::size_t n = 0; n < g.rows; ++n) std::copy_n(last.at(n), g.columns, sum.at(n));
          kernels_.rows.add(extent, sum, start);
          start = constant(sum);
        } else {
          start = last;
        }
      }
      g.init = start.data;
      g.init_row = start.row;
      into(g, from(z(s, rows.begin), units));
      g.epilogue =
          s_.cell == Cell::rnn_relu ? Epilogue::relu_derivative : Epilogue::tanh_derivative;
      g.saved = call_.output.at(time_.t(s), rows.begin) + units.begin;
      g.saved_row = call_.output.row;
      if (ends)
        gemm_(g);
      else
        products_.multiply_state(g, constant(z(s + 1, rows.begin)), units);
      kernels_.rows.flush_tiny({g.rows, g.columns}, from(z(s, rows.begin), units));
    };
    part(time_.leaving(s, all), false);
    part(time_.ending(s, all), true);
  }

  /// Computes dz_t with the cell.
  void cell_step(std::size_t s, Rows all, Columns units) const {
    const Rows active = time_.active(s, all), leaving = time_.leaving(s, all),
               ending = time_.ending(s, all);
    if (active.count() == 0) return;
    const auto dh_from = [&](std::size_t n) { return scratch(scratch_.dh, saved_.output_row, n); };
    const auto dc_from = [&](std::size_t n) { return scratch(scratch_.dc, saved_.hidden_row, n); };
    // A projection needs all columns of h; otherwise only these units.
    const Columns of_h = s_.projection ? Columns{0, s_.projection} : units;
    if (leaving.count() > 0) carry(s + 1, leaving, dh_from(leaving.begin), of_h);
    fill_rows(dense(call_.grad_h_n, s_.output(), ending.begin), ending, of_h,
              dh_from(ending.begin));
    if (traits_.memory)
      fill_rows(dense(call_.grad_c_n, s_.hidden, ending.begin), ending, units,
                dc_from(ending.begin));
    const std::size_t n = active.begin;
    const Extent outputs{active.count(), of_h.count()}, hiddens{active.count(), units.count()};
    const Matrix<T> dh = from(dh_from(n), of_h), dc = from(dc_from(n), units);
    if (const Matrix<const T> outside = from(from_outside(s, n), of_h); outside.data)
      kernels_.rows.add(outputs, dh, outside);
    kernels_.rows.flush_tiny(outputs, dh);
    if (traits_.memory) kernels_.rows.flush_tiny(hiddens, dc);

    const Matrix<T> kept_h = scratch(scratch_.kept_h, saved_.output_row, n),
                    kept_c = scratch(scratch_.kept_c, saved_.hidden_row, n);
    if (s_.zoneout) {
      kernels_.rows.split_zone(outputs, dh, kept_h,
                               {mask(call_.masks.zone_h, s, n), call_.masks.zone_h_rate});
      if (traits_.memory)
        kernels_.rows.split_zone(hiddens, dc, kept_c,
                                 {mask(call_.masks.zone_c, s, n), call_.masks.zone_c_rate});
    }
    if (s_.projection) unproject(s, active, dh);
    // Each shard has its own gradients for the weights of normalisations.
    if (s_.layer_norm)
      for_shards(active, [&](std::size_t k, Rows rows) { through_cell(s, rows, k, units); });
    else
      through_cell(s, active, 0, units);
    if (s_.zoneout) {
      if (traits_.direct)
        kernels_.rows.add(outputs, dh, constant(kept_h));
      else
        copy_rows(kept_h, dh, outputs);
      if (traits_.memory) kernels_.rows.add(hiddens, dc, constant(kept_c));
    }
  }

  /// d_unprojected = dh W_hr. Keeps dh for the gradient of W_hr.
  void unproject(std::size_t s, Rows rows, Matrix<T> dh) const {
    const Matrix<T> kept =
        of_step(call_.scratch + scratch_.dh_all, saved_.output_row, s, rows.begin);
    copy_rows(dh, kept, {rows.count(), s_.projection});
    Gemm<T> g = dense_product<T>(rows.count(), s_.projection, s_.hidden, kept.data,
                                 call_.scratch + scratch_.weight_hr, nullptr);
    g.products[0].a_row = kept.row;
    g.products[0].b_k = static_cast<std::ptrdiff_t>(saved_.hidden_row);
    into(g, scratch(scratch_.unprojected, saved_.hidden_row, rows.begin));
    kernels_.gemm(g);
  }

  void through_cell(std::size_t s, Rows rows, std::size_t shard, Columns units) const {
    const Rows continuing = time_.continuing(s, rows);
    through_cell(s, {rows.begin, continuing.end}, shard, units, false);
    through_cell(s, {continuing.end, rows.end}, shard, units, true);
  }
  /// Either all rows have a step before this one, or none.
  void through_cell(std::size_t s, Rows rows, std::size_t shard, Columns units, bool first) const {
    if (rows.count() == 0) return;
    const std::size_t n = rows.begin;
    const Matrix<T> sums_at = z(s, n);
    CellBackward<T> cell;
    cell.rows = rows.count();
    cell.hidden = s_.hidden;
    cell.units = units;
    cell.z = {sums_at.data + sums_.cell, sums_at.row};
    cell.h_before = first ? dense(call_.h_0, s_.output(), n)
                          : Matrix<const T>{call_.output.at(time_.t(s - 1), n), call_.output.row};
    if (traits_.memory) {
      cell.c_before = first ? dense(call_.c_0, s_.hidden, n)
                            : constant(saved(saved_.c, saved_.hidden_row, s - 1, n));
      cell.dc = scratch(scratch_.dc, saved_.hidden_row, n);
    }
    cell.dh = s_.projection ? scratch(scratch_.unprojected, saved_.hidden_row, n)
                            : scratch(scratch_.dh, saved_.output_row, n);
    cell.keep = mask(call_.masks.candidate, s, n);
    if (!s_.layer_norm) return cell_backward(s_, cell);

    const Matrix<T> statistics = saved(saved_.statistics, kStatistics, s, n);
    const PackedLayout packed(s_);
    T* const factors = norm_gradients(shard);
    if (traits_.memory)
      cell.norm = {call_.packed + packed.norm_c_weight,
                   call_.packed + packed.norm_c_bias,
                   {statistics.data + 2, statistics.row},
                   factors + 4 * sums_.gates,
                   factors + 4 * sums_.gates + s_.hidden};
    cell_backward(s_, cell);
    NormalisedSums<T> sums;
    sums.rows = rows.count();
    sums.gates = sums_.gates;
    sums.joint = traits_.joint * s_.hidden;
    sums.z = sums_at;
    sums.input_weight = call_.packed + packed.norm_ih_weight;
    sums.state_weight = call_.packed + packed.norm_hh_weight;
    sums.statistics = statistics;
    sums.gradients = factors;
    kernels_.rows.normalise_backward(sums);
  }

  /// The gradient of the layer's input at this step: W_ih^T dz_t.
  void hand_down(std::size_t s, Rows rows, Columns inputs) const {
    if (rows.count() == 0) return;
    Gemm<T> g = gemm_for(rows, inputs);
    into(g, {call_.grad_input.at(time_.t(s), rows.begin) + inputs.begin, call_.grad_input.row});
    products_.multiply_input(g, constant(z(s, rows.begin)), inputs);
  }

  /// The gradients of a shard for the weights and biases of normalisations.
  T* norm_gradients(std::size_t shard) const {
    return call_.scratch + scratch_.norm + shard * scratch_.norm_size;
  }
  void gather_norm() const {
    add_blocks(norm_gradients(0), shards_.count(), scratch_.norm_size);
    const T* from = norm_gradients(0);
    using enum WeightRole;
    for (const WeightRole role : {norm_ih_weight, norm_hh_weight, norm_ih_bias, norm_hh_bias}) {
      std::copy_n(from, sums_.gates, call_.gradients + gradient_.place[role]);
      from += sums_.gates;
    }
    if (!traits_.memory) return;
    std::copy_n(from, s_.hidden, call_.gradients + gradient_.place[norm_c_weight]);
    std::copy_n(from + s_.hidden, s_.hidden, call_.gradients + gradient_.place[norm_c_bias]);
  }

  const RecurrentBackward<T>& call_;
  const RecurrentShape& s_;
  const CellTraits traits_;
  const Shards shards_;
  const TimeAxis time_;
  const Sums sums_;
  const SavedLayout saved_;
  const ScratchLayout scratch_;
  const GradientLayout gradient_;
  const Kernels<T>& kernels_;
  decltype(product_of<T>(std::declval<RecurrentShape>())) gemm_;
  const BackwardProducts<T> products_;
  const WeightGradients<T> weights_;
};

}  // namespace

template <class T>
void backward(const RecurrentBackward<T>& call) noexcept {
  Backward<T>(call).run();
}

template void backward(const RecurrentBackward<float>&) noexcept;
template void backward(const RecurrentBackward<double>&) noexcept;

}  // namespace unroll::kernels
