// Writes ONNX's wire format: nodes, constants, inputs and outputs in one message.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace unroll::exporter {

enum class OnnxType : std::int32_t { f32 = 1, i32 = 6, i64 = 7 };  // TensorProto.DataType

/// A size, or the name of a size that is only known when the model runs.
using OnnxDimension = std::variant<std::int64_t, std::string>;

struct OnnxAttribute {
  std::string name;
  std::variant<std::int64_t, std::string, std::vector<std::int64_t>, std::vector<std::string>>
      value;
};

/// An input or output of the model, as a program that runs it sees it.
struct OnnxValue {
  std::string name;
  OnnxType type = OnnxType::f32;
  std::vector<OnnxDimension> shape;
  std::string meaning;  ///< becomes its doc_string
};

/// A graph under construction. Nodes run in the order in which they were added. The caller chooses
/// all names; "" leaves out an optional input or output.
///
/// Operators are those of opset 14 in IR version 7: ONNX 1.9 and ONNX Runtime 1.8 (2021) and later.
/// Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
class OnnxGraph {
 public:
  static constexpr std::int64_t opset = 14, ir_version = 7;

  void node(std::string_view op, const std::vector<std::string>& inputs,
            const std::vector<std::string>& outputs,
            const std::vector<OnnxAttribute>& attributes = {});

  /// Adds a constant. If it has an input's name, it is the input's default value.
  void constant(const std::string& name, const std::vector<std::int64_t>& shape,
                std::span<const float> values);
  void constant(const std::string& name, const std::vector<std::int64_t>& shape,
                std::span<const std::int64_t> values);
  /// The name of a constant list of integers. Equal lists become one constant.
  std::string integers(const std::vector<std::int64_t>& values);

  void input(OnnxValue value);
  void output(OnnxValue value);
  const std::vector<OnnxValue>& inputs() const { return inputs_; }
  const std::vector<OnnxValue>& outputs() const { return outputs_; }

  /// The bytes of a model file.
  std::string model(const std::map<std::string, std::string>& metadata) const;

 private:
  std::string nodes_, constants_;  // GraphProto's fields, encoded
  std::map<std::vector<std::int64_t>, std::string> integers_;
  std::vector<OnnxValue> inputs_, outputs_;
};

}  // namespace unroll::exporter
