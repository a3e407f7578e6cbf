#include "report/svg_drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/printable.h"

namespace unroll::report {
namespace {

constexpr double kMargin = 16, kLineHeight = 16, kPadding = 8;

/// A group of elements: its attributes, which are the light colours, and its dark colours.
struct Style {
  std::string_view name, attributes, dark;
};

constexpr Style kBoxStyles[] = {
    {"data", R"(fill="#fdeee2" stroke="#b4561a")", "fill:#33230f;stroke:#e3a368"},
    {"recurrent", R"(fill="#e7f1fb" stroke="#1d5fa8")", "fill:#10263f;stroke:#79b8ff"},
    {"weights", R"(fill="#f3ecfb" stroke="#6b3fa0")", "fill:#291f40;stroke:#c297ff"},
    {"plain", R"(fill="#f0f2f5" stroke="#59636e")", "fill:#21262d;stroke:#9aa4af"},
};
constexpr Style kInkStyles[] = {
    {"name", R"(fill="#1f2328" font-size="13" font-weight="600")", "fill:#e6edf3"},
    {"detail", R"(fill="#1f2328" font-size="12")", "fill:#e6edf3"},
    {"count", R"(fill="#1f2328" font-size="12")", "fill:#e6edf3"},
    {"label", R"(fill="#4b535d" font-size="11")", "fill:#b6c0cb"},
};
constexpr Style kPaper = {"paper", R"(fill="#ffffff")", "fill:#0d1117"};
constexpr Style kLines = {"lines", R"(fill="none" stroke="#59636e" stroke-width="1.4")",
                          "stroke:#9aa4af"};
constexpr Style kHeads = {"heads", R"(fill="#59636e")", "fill:#9aa4af"};

double font_size(Ink ink) { return ink == Ink::name ? 13 : ink == Ink::label ? 11 : 12; }

/// The usual width of a text in a system's font.
double width_of(Ink ink, std::string_view text) {
  const auto characters =
      std::ranges::count_if(text, [](unsigned char c) { return (c & 0xc0) != 0x80; });
  return static_cast<double>(characters) * font_size(ink) * (ink == Ink::name ? 0.6 : 0.56);
}

/// With at most one decimal.
std::string number(double value) { return fmt::format("{:g}", std::round(value * 10) / 10); }

std::string path_of(const std::vector<Point>& points) {
  std::string path = "M";
  for (const Point& p : points) path += fmt::format(" {} {}", number(p.x), number(p.y));
  return path;
}

std::string group(const Style& style, std::string_view more, std::string_view elements) {
  if (elements.empty()) return {};
  return fmt::format("<g class=\"{}\" {}{}>\n{}</g>\n", style.name, style.attributes, more,
                     elements);
}

}  // namespace

std::string xml_text(std::string_view text) {
  std::string result;
  // printable() spells out what XML forbids, but for U+FFFE and U+FFFF.
  const std::string safe = printable(text);
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const std::string_view rest = std::string_view(safe).substr(i);
    if (rest.starts_with("\xef\xbf\xbe") || rest.starts_with("\xef\xbf\xbf")) {
      result += rest[2] == '\xbe' ? "\\ufffe" : "\\uffff";
      i += 2;
    } else if (safe[i] == '&') {
      result += "&amp;";
    } else if (safe[i] == '<') {
      result += "&lt;";
    } else if (safe[i] == '>') {
      result += "&gt;";
    } else if (safe[i] == '"') {
      result += "&quot;";
    } else if (safe[i] == '\'') {
      result += "&#39;";
    } else {
      result += safe[i];
    }
  }
  return result;
}

double SvgDrawing::height_of(const std::vector<Line>& lines) {
  return kLineHeight * static_cast<double>(lines.size()) + 2 * kPadding - 2;
}

void SvgDrawing::box(Point centre, double width, Fill fill, const std::vector<Line>& lines) {
  const double height = height_of(lines);
  const Point corner = {centre.x - width / 2, centre.y - height / 2};
  boxes_[static_cast<std::size_t>(fill)] +=
      fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"7\"/>\n",
                  number(corner.x), number(corner.y), number(width), number(height));
  reach(corner, {corner.x + width, corner.y + height});
  double y = corner.y + kPadding + kLineHeight / 2 - 1;
  for (const Line& line : lines) {
    write({centre.x, y}, line.ink, line.text, width - kPadding, false);
    y += kLineHeight;
  }
}

void SvgDrawing::circle(Point centre, double radius, std::string_view sign) {
  boxes_[static_cast<std::size_t>(Fill::plain)] +=
      fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\"/>\n", number(centre.x), number(centre.y),
                  number(radius));
  reach({centre.x - radius, centre.y - radius}, {centre.x + radius, centre.y + radius});
  text(centre, Ink::name, sign);
}

void SvgDrawing::line(const std::vector<Point>& points) {
  lines_ += fmt::format("<path d=\"{}\"/>\n", path_of(points));
  for (const Point& p : points) reach(p, p);
}

void SvgDrawing::arrow(const std::vector<Point>& points) {
  constexpr double kLength = 8, kHalfWidth = 4;
  const Point end = points.back(), before = points[points.size() - 2];
  const double length = std::hypot(end.x - before.x, end.y - before.y);
  const Point along = {(end.x - before.x) / length, (end.y - before.y) / length};
  const Point neck = {end.x - along.x * kLength, end.y - along.y * kLength};
  std::vector<Point> shaft = points;
  shaft.back() = neck;
  line(shaft);
  const Point side = {-along.y * kHalfWidth, along.x * kHalfWidth};
  heads_ += fmt::format(
      "<path d=\"{} z\"/>\n",
      path_of({end, {neck.x + side.x, neck.y + side.y}, {neck.x - side.x, neck.y - side.y}}));
  reach(end, end);
}

void SvgDrawing::dot(Point centre) {
  heads_ +=
      fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"3\"/>\n", number(centre.x), number(centre.y));
}

void SvgDrawing::text(Point centre, Ink ink, std::string_view text, bool to_the_right) {
  write(centre, ink, text, 1e9, to_the_right);
  const double width = width_of(ink, text);
  const double left = to_the_right ? centre.x : centre.x - width / 2;
  reach({left, centre.y - 8}, {left + width, centre.y + 8});
}

void SvgDrawing::write(Point centre, Ink ink, std::string_view text, double most_width,
                       bool to_the_right) {
  std::string more;
  if (width_of(ink, text) > most_width)
    more = fmt::format(" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"", number(most_width));
  if (to_the_right) more += " text-anchor=\"start\"";
  texts_[static_cast<std::size_t>(ink)] +=
      fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", number(centre.x),
                  number(centre.y + font_size(ink) * 0.35), more, xml_text(text));
}

void SvgDrawing::reach(Point a, Point b) {
  if (empty_) top_left_ = bottom_right_ = a;
  empty_ = false;
  top_left_ = {std::min(top_left_.x, a.x), std::min(top_left_.y, a.y)};
  bottom_right_ = {std::max(bottom_right_.x, b.x), std::max(bottom_right_.y, b.y)};
}

std::string SvgDrawing::document(std::string_view title, std::string_view description) const {
  const Point corner = {std::floor(top_left_.x - kMargin), std::floor(top_left_.y - kMargin)};
  const double width = std::ceil(bottom_right_.x + kMargin) - corner.x,
               height = std::ceil(bottom_right_.y + kMargin) - corner.y;
  std::string dark;
  const auto add = [&](const Style& style) {
    dark += fmt::format(".unroll-network .{}{{{}}}\n", style.name, style.dark);
  };
  add(kPaper);
  add(kLines);
  add(kHeads);
  for (const Style& style : kBoxStyles) add(style);
  for (const Style& style : kInkStyles) add(style);

  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"unroll-network\" role=\"img\" "
      "viewBox=\"{0} {1} {2} {3}\" width=\"{2}\" height=\"{3}\" "
      "font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\" text-anchor=\"middle\">\n"
      "<title>{4}</title>\n<desc>{5}</desc>\n"
      "<style>\n@media (prefers-color-scheme: dark) {{\n{6}}}\n</style>\n",
      number(corner.x), number(corner.y), number(width), number(height), xml_text(title),
      xml_text(description), dark);
  text += fmt::format(
      "<rect class=\"{}\" {} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"12\"/>\n",
      kPaper.name, kPaper.attributes, number(corner.x), number(corner.y), number(width),
      number(height));
  text += group(kLines, "", lines_) + group(kHeads, "", heads_);
  for (std::size_t i = 0; i < boxes_.size(); ++i)
    text += group(kBoxStyles[i], " stroke-width=\"1.2\"", boxes_[i]);
  for (std::size_t i = 0; i < texts_.size(); ++i) text += group(kInkStyles[i], "", texts_[i]);
  return text + "</svg>\n";
}

}  // namespace unroll::report
