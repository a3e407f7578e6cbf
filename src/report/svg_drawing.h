// Boxes, arrows and texts of one style, as an SVG picture.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::report {

/// `text` as the text of an XML or HTML element. Characters that XML can't hold are spelt out.
std::string xml_text(std::string_view text);

/// In pixels; y grows downwards.
struct Point {
  double x = 0, y = 0;
};

/// The kind of a box. Each has a colour.
enum class Fill { data, recurrent, weights, plain };

/// The kind of a text. Each has a size and a weight.
enum class Ink { name, detail, count, label };

/// A line of text in a box.
struct Line {
  std::string text;
  Ink ink = Ink::detail;
};

/// A picture that is readable in light and dark. Its size follows from its content. It works as a
/// file and inside an HTML page: all rules of its style start with its class. Colours are also
/// attributes, because programs for slides ignore the style.
class SvgDrawing {
 public:
  static double height_of(const std::vector<Line>& lines);

  /// Lines too long for the box are squeezed.
  void box(Point centre, double width, Fill fill, const std::vector<Line>& lines);
  void circle(Point centre, double radius, std::string_view sign);
  /// Straight from point to point, with an arrow's head at the end.
  void arrow(const std::vector<Point>& points);
  void line(const std::vector<Point>& points);
  void dot(Point centre);  ///< where lines meet
  /// A single line around `centre`, or from `centre` to the right.
  void text(Point centre, Ink ink, std::string_view text, bool to_the_right = false);

  Point top_left() const { return top_left_; }
  Point bottom_right() const { return bottom_right_; }
  /// The whole file. Title and description are for screen readers.
  std::string document(std::string_view title, std::string_view description) const;

 private:
  void reach(Point a, Point b);  // the picture includes a and b
  void write(Point centre, Ink ink, std::string_view text, double most_width, bool to_the_right);

  Point top_left_ = {}, bottom_right_ = {};
  bool empty_ = true;
  std::array<std::string, 4> boxes_ = {}, texts_ = {};  // elements by Fill and by Ink
  std::string lines_ = {}, heads_ = {};
};

}  // namespace unroll::report
