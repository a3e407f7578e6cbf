#include "export/onnx_graph.h"

#include <gtest/gtest.h>

#include "unit/export/onnx_file.h"

namespace unroll::exporter {
namespace {

std::string hex_of(const std::string& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// onnx 1.23: helper.make_model of the same nodes, constants and values, producer_version 0.1.0,
// SerializeToString(deterministic=True).
TEST(OnnxGraph, WritesTheBytesOfTheOnnxPackage) {
  OnnxGraph graph;
  graph.node("Gemm", {"input", "fc.weight"}, {"output"}, {{"transB", std::int64_t{1}}});
  graph.node("MaxPool", {"a"}, {"b"}, {{"pads", std::vector<std::int64_t>{0, 1}}});
  graph.node("RNN", {"a", "b", "c", "", "", "d"}, {"", "e"},
             {{"activations", std::vector<std::string>{"Relu", "Tanh"}},
              {"direction", std::string("bidirectional")}});
  const std::vector<float> weight = {1, 2, 3, 4};
  graph.constant("fc.weight", {2, 2}, std::span<const float>(weight));
  EXPECT_EQ(graph.integers({0, -1}), "integers_0_-1");
  EXPECT_EQ(graph.integers({0, -1}), "integers_0_-1");  // made once
  graph.input({"input", OnnxType::f32, {"batch", std::int64_t{2}}, "numbers"});
  graph.output({"output", OnnxType::f32, {"batch", std::int64_t{2}}, "scores"});
  const std::string expected =
      "08071206756e726f6c6c1a05302e312e303ada020a370a05696e7075740a0966632e77656967687412066f757470"
      "75741a066f7574707574220447656d6d2a0d0a067472616e73421801a001020a210a01611201621a016222074d61"
      "78506f6f6c2a0d0a047061647340004001a001070a5a0a01610a01620a01630a000a000a016412001201651a0165"
      "2203524e4e2a1c0a0b61637469766174696f6e734a0452656c754a0454616e68a001082a1d0a0964697265637469"
      "6f6e220d6269646972656374696f6e616ca001031206756e726f6c6c2a23080208021001420966632e7765696768"
      "744a100000803f0000004000004040000080402a2508021007420d696e7465676572735f305f2d314a1000000000"
      "00000000ffffffffffffffff5a250a05696e70757412130a110801120d0a07120562617463680a0208021a076e75"
      "6d6265727362250a066f757470757412130a110801120d0a07120562617463680a0208021a0673636f7265734204"
      "0a00100e720c0a06756e726f6c6c12027b7d";
  // The program's own version, whatever it is now.
  std::string bytes = graph.model({{"unroll", "{}"}});
  ASSERT_EQ(bytes[10], '\x1a');
  bytes.replace(11, 1 + static_cast<std::size_t>(bytes[11]),
                "\x05"
                "0.1.0");
  EXPECT_EQ(hex_of(bytes), expected);
}

TEST(OnnxGraph, SaysWhichOperatorsItMeans) {
  const test::OnnxFile file(OnnxGraph().model({}));
  EXPECT_EQ(file.ir_version, 7);  // that of ONNX 1.9, which brought opset 14
  EXPECT_EQ(file.opset, 14);
}

}  // namespace
}  // namespace unroll::exporter
