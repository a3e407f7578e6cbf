#include "report/network_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "core/overloaded.h"
#include "report/layer_text.h"
#include "report/network_parts.h"
#include "report/svg_drawing.h"
#include "spec/cells.h"

namespace unroll::report {
namespace {

constexpr double kWidth = 148;      // of a box
constexpr double kRoom = 54;        // between the boxes of two steps
constexpr double kEllipsis = 76;    // more between the third step and the last
constexpr double kGap = 42;         // from a box to the box above
constexpr double kAside = 24;       // two directions: how far a box is from the middle of its step
constexpr double kStateWidth = 96;  // of the box of a learnt initial state

/// One step of a sequence; the only column of anything else.
struct Column {
  double x = 0;
  std::string step = {};  // "2"; "" for anything but a sequence
  bool after_ellipsis = false;
};

/// The text for a column: "row 2", "last row", or "input" without steps.
std::string numbered(std::string_view noun, const Column& column) {
  if (column.step.empty()) return std::string(noun);
  return column.step == "last" ? fmt::format("last {}", noun)
                               : fmt::format("{} {}", noun, column.step);
}

std::vector<Column> columns_of(const spec::InputSpec& input, double pitch) {
  if (!spec::is_sequence(input)) return {Column{}};
  constexpr std::int64_t first = 3;
  const std::int64_t steps = spec::steps_of(input);
  std::vector<Column> columns;
  for (std::int64_t t = 1; t <= (steps == 0 ? first : std::min(steps, first)); ++t)
    columns.push_back({static_cast<double>(t - 1) * pitch, std::to_string(t)});
  if (steps == first + 1)
    columns.push_back({first * pitch, std::to_string(steps)});
  else if (steps == 0 || steps > first)
    columns.push_back(
        {first * pitch + kEllipsis, steps == 0 ? "last" : std::to_string(steps), true});
  return columns;
}

/// Draws one layer after another, upwards.
class Picture {
 public:
  Picture(const spec::ModelSpec& spec, bool activation_known)
      : spec_(spec::with_scale_layer(spec)),
        activation_known_(activation_known),
        data_(spec::features_of(spec_)) {
    for (const spec::LayerSpec& layer : spec_.layers)
      if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer); r && r->bidirectional)
        reach_ = kWidth / 2 + kAside;
    columns_ = columns_of(spec_.input, 2 * reach_ + kRoom);
  }

  std::string draw() {
    draw_input();
    for (layer_ = 0; layer_ < spec_.layers.size(); ++layer_) {
      before_.push_back(ports_);
      std::visit(Overloaded{[&](const spec::RecurrentSpec& r) { draw_recurrent(r); },
                            [&](const spec::ResidualSpec& r) { draw_residual(r); },
                            [&](const auto&) {
                              const Part part = part_of(spec_.layers[layer_], activation_known_);
                              draw_row(part);
                              describe(part);
                            }},
                 spec_.layers[layer_]);
    }
    draw_output();
    const std::string total = draw_footer();
    return drawing_.document(fmt::format("A network of {}", total), description_);
  }

 private:
  const spec::Features& data() const { return data_[layer_]; }  // before the current layer

  void describe(std::string_view what) {
    description_ += fmt::format("{}{}.", description_.empty() ? "" : " ", what);
  }

  void describe(const Part& part) {
    std::string text;
    for (const Line& line : part.lines) text += (text.empty() ? "" : ", ") + line.text;
    if (part.parameters > 0) text += ", " + parameters_text(part.parameters);
    describe(text);
  }

  void draw_input() {
    const std::string noun =
        std::visit(Overloaded{[](const spec::ImageInput& i) -> std::string {
                                if (i.form == spec::Form::rows) return "row";
                                return i.form == spec::Form::pixels ? "pixel"
                                       : i.form == spec::Form::flat ? "pixels"
                                                                    : "image";
                              },
                              [](const spec::SeriesInput&) -> std::string { return "step"; },
                              [](const spec::VectorInput&) -> std::string { return "input"; },
                              [](const spec::TokenInput&) -> std::string { return "token"; }},
                   spec_.input);
    for (const Column& column : columns_) draw_data({{numbered(noun, column), Ink::name}}, column);
    draw_ellipsis(y_ - 15);
    y_ -= SvgDrawing::height_of({{}});
    describe(fmt::format("Input, at the bottom: {} of shape {}",
                         columns_.front().step.empty() ? noun : "steps", shape_text(data())));
  }

  void draw_output() {
    layer_ = spec_.layers.size();
    const std::string numbers =
        fmt::format("{} {}", with_commas(data().size()), outputs_name(spec_.output, data().size()));
    rise(data());
    for (const Column& column : columns_)
      draw_data({{numbered("output", column), Ink::name}, {numbers}}, column);
    draw_ellipsis(y_ - 23);
    describe(fmt::format("Output, at the top: {}", numbers));
  }

  void draw_data(const std::vector<Line>& lines, const Column& column) {
    const double height = SvgDrawing::height_of(lines);
    drawing_.box({column.x, y_ - height / 2}, kWidth * 0.7, Fill::data, lines);
    ports_.push_back({column.x, y_ - height});
  }

  /// Below everything.
  std::string draw_footer() {
    std::int64_t count = 0;
    for (const auto& [name, shape] : spec::weights_of(spec_)) {
      std::int64_t numbers = 1;
      for (const std::int64_t size : shape) numbers *= size;
      count += numbers;
    }
    std::string text = parameters_text(count);
    if (spec::is_sequence(spec_.input)) {
      const std::int64_t steps = spec::steps_of(spec_.input);
      if (steps == 0) text += "; all steps share them";
      if (steps > 1) text += fmt::format("; all {} steps share them", with_commas(steps));
    }
    const double middle = (drawing_.top_left().x + drawing_.bottom_right().x) / 2;
    drawing_.text({middle, 24}, Ink::detail, text);
    return text;
  }

  /// Arrows from the row below, with the shape of the data, and room for the next row.
  void rise(const spec::Features& shape) {
    for (const Point& from : ports_) {
      drawing_.arrow({from, {from.x, y_ - kGap}});
      drawing_.text({from.x + 7, y_ - kGap + 16}, Ink::label, shape_text(shape), true);
    }
    y_ -= kGap;
    ports_.clear();
  }

  /// A part at each step, from the bottom y_ up.
  void draw_boxes(const Part& part, double aside) {
    for (const Column& column : columns_) {
      std::vector<Line> lines = part.lines;
      if (part.parameters > 0)
        lines.push_back(column.x == columns_.front().x
                            ? Line{parameters_text(part.parameters), Ink::count}
                            : Line{"same parameters", Ink::label});
      drawing_.box({column.x + aside, y_ - height_of(part) / 2}, kWidth, part.fill, lines);
    }
    draw_ellipsis(y_ - height_of(part) / 2);
  }

  static double height_of(const Part& part) {
    std::vector<Line> lines = part.lines;
    if (part.parameters > 0) lines.push_back({});
    return SvgDrawing::height_of(lines);
  }

  void draw_row(const Part& part) {
    rise(data());
    draw_boxes(part, 0);
    y_ -= height_of(part);
    for (const Column& column : columns_) ports_.push_back({column.x, y_});
  }

  /// Where the steps between the third and the last one are left out.
  double ellipsis_x() const {
    const std::size_t n = columns_.size();
    return (columns_[n - 2].x + columns_[n - 1].x) / 2;
  }
  void draw_ellipsis(double y) {
    if (columns_.back().after_ellipsis) drawing_.text({ellipsis_x(), y}, Ink::name, "· · ·");
  }

  void draw_recurrent(const spec::RecurrentSpec& r) {
    const std::vector<StackedLayers> stack = stacked_layers(r);
    for (const StackedLayers layers : stack) {
      const bool is_top = layers.last == r.num_layers - 1;
      const spec::Features& in = layers.first == 0 ? data() : inside_;
      inside_ = {spec::Features::Kind::sequence, 1, 1, r.directions() * r.state_size()};
      r.bidirectional ? draw_both(r, layers, in) : draw_forward(r, layers, in);
      if (is_top && r.readout != spec::Readout::every_step)
        draw_readout(r);
      else if (r.bidirectional)
        draw_joints();
      else
        ports_ = forward_;
    }
  }

  /// One direction: as any row, with arrows from step to step.
  void draw_forward(const spec::RecurrentSpec& r, StackedLayers layers, const spec::Features& in) {
    const Part part = part_of(r, layers, 0, activation_known_);
    rise(in);
    draw_boxes(part, 0);
    draw_states(r, layers, part, 0, false);
    y_ -= height_of(part);
    forward_.clear();
    backward_.clear();
    for (const Column& column : columns_) forward_.push_back({column.x, y_});
    describe(part);
  }

  /// Two directions: the backward box is above the forward box, to the right. The input passes
  /// right of the forward box, the forward state left of the backward box.
  void draw_both(const spec::RecurrentSpec& r, StackedLayers layers, const spec::Features& in) {
    const Part part[] = {part_of(r, layers, 0, activation_known_),
                         part_of(r, layers, 1, activation_known_)};
    const double fork = y_ - 10, forward_top = y_ - kGap - height_of(part[0]),
                 backward_bottom = forward_top - 24;
    for (const Point& from : ports_) {
      drawing_.dot({from.x, fork});
      drawing_.arrow(
          {{from.x, fork}, {from.x + kWidth / 2, fork}, {from.x + kWidth / 2, backward_bottom}});
    }
    rise(in);
    draw_boxes(part[0], -kAside);
    draw_states(r, layers, part[0], -kAside, false);
    y_ = backward_bottom;
    draw_boxes(part[1], kAside);
    draw_states(r, layers, part[1], kAside, true);
    y_ -= height_of(part[1]);
    forward_.clear();
    backward_.clear();
    for (const Column& column : columns_) {
      forward_.push_back({column.x - kWidth / 2, forward_top});
      backward_.push_back({column.x, y_});
    }
    describe(part[0]);
    describe(part[1]);
  }

  /// The arrows of h, and of c, from step to step of the boxes that stand on y_.
  void draw_states(const spec::RecurrentSpec& r, StackedLayers layers, const Part& part,
                   double aside, bool backward) {
    const double y = y_ - height_of(part) / 2, way = backward ? -1 : 1;
    const bool memory = spec::info_of(r).has_memory();
    const auto label = [&](double x) {
      drawing_.text({x, y - 10}, Ink::label, fmt::format("h {}", r.state_size()));
      if (memory) drawing_.text({x, y + 12}, Ink::label, fmt::format("c {}", r.hidden_size));
    };
    const double first = (backward ? columns_.back() : columns_.front()).x + aside;
    const double start = first - way * (kWidth / 2 + (reach_ > kWidth / 2 ? 74.0 : 50.0));
    if (const std::int64_t learnt = learnt_states_of(r, layers); learnt > 0) {
      drawing_.box({start - way * kStateWidth / 2, y}, kStateWidth, Fill::recurrent,
                   {{memory ? "learnt h, c" : "learnt h", Ink::name},
                    {parameters_text(learnt), Ink::count}});
      describe(fmt::format("It starts from a learnt state of {}", parameters_text(learnt)));
    } else {
      drawing_.circle({start - way * 11, y}, 11, "0");
    }
    drawing_.arrow({{start, y}, {first - way * kWidth / 2, y}});
    label((start + first - way * kWidth / 2) / 2);
    for (std::size_t c = 0; c + 1 < columns_.size(); ++c) {
      const double left = columns_[c].x + aside + kWidth / 2,
                   right = columns_[c + 1].x + aside - kWidth / 2;
      const double from = backward ? right : left, to = backward ? left : right;
      if (columns_[c + 1].after_ellipsis) {
        const double middle = ellipsis_x();
        drawing_.arrow({{from, y}, {middle - way * 18, y}});
        drawing_.arrow({{middle + way * 18, y}, {to, y}});
      } else {
        drawing_.arrow({{from, y}, {to, y}});
        label((from + to) / 2);
      }
    }
  }

  /// The states of both directions, side by side at each step.
  void draw_joints() {
    ports_.clear();
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const Point joint = {columns_[c].x, y_ - 14};
      drawing_.line({forward_[c], {forward_[c].x, joint.y}, joint});
      drawing_.line({backward_[c], joint});
      drawing_.dot(joint);
      ports_.push_back(joint);
    }
    y_ -= 14;
  }

  /// From the states of all steps to one vector, above the middle of the states that it reads.
  void draw_readout(const spec::RecurrentSpec& r) {
    std::vector<Point> all = forward_, last = {forward_.back()};
    if (r.bidirectional) {
      all.insert(all.end(), backward_.begin(), backward_.end());
      last.push_back(backward_.front());  // it reads from the last step to the first
    }
    const std::string width = std::to_string(r.state_size());
    const auto finish = [&](double x) {
      columns_ = {{.x = x}};
      ports_ = {{x, y_}};
    };
    if (r.readout == spec::Readout::last) {
      describe("The next layer reads the last state");
      if (last.size() == 1) return finish(last.front().x);
      return finish(draw_collected(last, width, "last states", middle_of(last)));
    }
    describe(fmt::format("The next layer reads the {} of the states", spec::name_of(r.readout)));
    const char* text = r.readout == spec::Readout::max ? "maximum of states" : "mean of states";
    if (r.readout != spec::Readout::mean_last)
      return finish(draw_collected(all, width, text, middle_of(all)));
    // The lines of the last states pass beside the box of the mean.
    double x = middle_of(all);
    const double beside = kWidth / 2 + 12;
    if (std::ranges::any_of(last, [&](Point p) { return std::abs(p.x - x) < beside; }))
      x = std::ranges::min(last, {}, &Point::x).x - kWidth / 2 - 30;
    draw_collected(all, width, text, x);
    for (Point& p : last) {
      drawing_.dot({p.x, bus_});
      p.y = bus_;
    }
    last.push_back({x, y_});
    finish(draw_collected(last, "", "mean and last state", middle_of(last)));
  }

  static double middle_of(const std::vector<Point>& points) {
    const auto [least, most] = std::ranges::minmax(points, {}, &Point::x);
    return (least.x + most.x) / 2;
  }

  /// A box at x above a line that collects all points. Returns x.
  double draw_collected(const std::vector<Point>& points, const std::string& label,
                        const char* text, double x) {
    bus_ = y_ - 26;
    auto [least, most] = std::ranges::minmax(points, {}, &Point::x);
    for (const Point& p : points) {
      drawing_.line({p, {p.x, bus_}});
      if (!label.empty()) drawing_.text({p.x + 7, y_ - 14}, Ink::label, label, true);
    }
    drawing_.line({{std::min(least.x, x), bus_}, {std::max(most.x, x), bus_}});
    const std::vector<Line> lines = {{text, Ink::name}};
    const double bottom = bus_ - 22, height = SvgDrawing::height_of(lines);
    drawing_.arrow({{x, bus_}, {x, bottom}});
    drawing_.box({x, bottom - height / 2}, kWidth, Fill::plain, lines);
    y_ = bottom - height;
    return x;
  }

  /// A sum with the data before the `over` layers below, which passes right of them.
  void draw_residual(const spec::ResidualSpec& r) {
    const auto over = static_cast<std::size_t>(r.over);
    const std::vector<Point>& from = before_[layer_ - over];
    std::size_t within = 0;  // smaller residual connections that this one goes around
    for (std::size_t l = layer_ - over; l < layer_; ++l)
      within += std::holds_alternative<spec::ResidualSpec>(spec_.layers[l]) ? 1 : 0;
    const double out = reach_ + 12 + 8 * static_cast<double>(std::min<std::size_t>(within, 3));
    constexpr double radius = 12;
    rise(data());
    const double centre = y_ - radius;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const double x = columns_[c].x, start = from[c].y - 5;
      drawing_.circle({x, centre}, radius, "+");
      drawing_.dot({x, start});
      drawing_.arrow({{x, start}, {x + out, start}, {x + out, centre}, {x + radius, centre}});
      ports_.push_back({x, y_ - 2 * radius});
    }
    y_ -= 2 * radius;
    describe(r.over == 1 ? "Adds the input of the layer before"
                         : fmt::format("Adds the input of the {} layers before", r.over));
  }

  const spec::ModelSpec spec_;
  const bool activation_known_;
  const std::vector<spec::Features> data_;  // at every point between layers
  std::size_t layer_ = 0;
  SvgDrawing drawing_ = {};
  double reach_ = kWidth / 2;  // from the middle of a step to the edge of its widest row
  std::vector<Column> columns_ = {};
  double y_ = 0;                     // the top of the picture so far
  std::vector<Point> ports_ = {};    // where the data leaves each column
  std::vector<Point> forward_ = {};  // where the states of a recurrent layer leave
  std::vector<Point> backward_ = {};
  double bus_ = 0;                               // the last line that collected states
  std::vector<std::vector<Point>> before_ = {};  // the ports before each layer
  spec::Features inside_ = {};                   // between stacked layers
  std::string description_ = {};
};

}  // namespace

std::string network_svg(const spec::ModelSpec& spec, bool activation_known) {
  return Picture(spec, activation_known).draw();
}

}  // namespace unroll::report
