#include "export/onnx_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <protozero/pbf_builder.hpp>

namespace unroll::exporter {
namespace {

static_assert(std::endian::native == std::endian::little, "only little-endian files are written");

// The numbers of the messages' fields in onnx.proto.
enum class Model : protozero::pbf_tag_type {
  ir_version = 1,
  producer_name = 2,
  producer_version = 3,
  graph = 7,
  opset_import = 8,
  metadata_props = 14
};
enum class OpsetId : protozero::pbf_tag_type { domain = 1, version = 2 };
enum class Entry : protozero::pbf_tag_type { key = 1, value = 2 };
enum class Graph : protozero::pbf_tag_type {
  node = 1,
  name = 2,
  initializer = 5,
  input = 11,
  output = 12
};
enum class Node : protozero::pbf_tag_type {
  input = 1,
  output = 2,
  name = 3,
  op_type = 4,
  attribute = 5
};
enum class Attribute : protozero::pbf_tag_type {
  name = 1,
  i = 3,
  s = 4,
  ints = 8,
  strings = 9,
  type = 20
};
enum class Tensor : protozero::pbf_tag_type { dims = 1, data_type = 2, name = 8, raw_data = 9 };
enum class ValueInfo : protozero::pbf_tag_type { name = 1, type = 2, doc_string = 3 };
enum class Type : protozero::pbf_tag_type { tensor_type = 1 };
enum class TensorType : protozero::pbf_tag_type { elem_type = 1, shape = 2 };
enum class Shape : protozero::pbf_tag_type { dim = 1 };
enum class Dimension : protozero::pbf_tag_type { dim_value = 1, dim_param = 2 };

template <class Tag>
using Message = protozero::pbf_builder<Tag>;

/// Adds an AttributeProto's value and its AttributeType.
struct AddValue {
  Message<Attribute>& to;

  void type(std::int32_t number) const { to.add_enum(Attribute::type, number); }
  void operator()(std::int64_t value) const {
    to.add_int64(Attribute::i, value);
    type(2);
  }
  void operator()(const std::string& value) const {
    to.add_bytes(Attribute::s, value);
    type(3);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    for (const std::int64_t value : values) to.add_int64(Attribute::ints, value);
    type(7);
  }
  void operator()(const std::vector<std::string>& values) const {
    for (const std::string& value : values) to.add_bytes(Attribute::strings, value);
    type(8);
  }
};

void add_tensor(std::string& constants, const std::string& name, OnnxType type,
                const std::vector<std::int64_t>& shape, std::span<const std::byte> values) {
  Message<Graph> graph(constants);
  Message<Tensor> tensor(graph, Graph::initializer);
  for (const std::int64_t size : shape) tensor.add_int64(Tensor::dims, size);
  tensor.add_int32(Tensor::data_type, static_cast<std::int32_t>(type));
  tensor.add_string(Tensor::name, name);
  tensor.add_bytes(Tensor::raw_data, reinterpret_cast<const char*>(values.data()), values.size());
}

void add_value(Message<Graph>& graph, Graph field, const OnnxValue& value) {
  Message<ValueInfo> info(graph, field);
  info.add_string(ValueInfo::name, value.name);
  {
    Message<Type> type(info, ValueInfo::type);
    Message<TensorType> tensor(type, Type::tensor_type);
    tensor.add_int32(TensorType::elem_type, static_cast<std::int32_t>(value.type));
    Message<Shape> shape(tensor, TensorType::shape);
    for (const OnnxDimension& dimension : value.shape) {
      Message<Dimension> dim(shape, Shape::dim);
      if (const auto* size = std::get_if<std::int64_t>(&dimension))
        dim.add_int64(Dimension::dim_value, *size);
      else
        dim.add_string(Dimension::dim_param, std::get<std::string>(dimension));
    }
  }
  info.add_string(ValueInfo::doc_string, value.meaning);
}

}  // namespace

void OnnxGraph::node(std::string_view op, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs,
                     const std::vector<OnnxAttribute>& attributes) {
  Message<Graph> graph(nodes_);
  Message<Node> node(graph, Graph::node);
  for (const std::string& name : inputs) node.add_string(Node::input, name);
  for (const std::string& name : outputs) node.add_string(Node::output, name);
  node.add_string(Node::name,
                  *std::ranges::find_if(outputs, [](const auto& o) { return !o.empty(); }));
  node.add_string(Node::op_type, op.data(), op.size());
  for (const OnnxAttribute& attribute : attributes) {
    Message<Attribute> message(node, Node::attribute);
    message.add_string(Attribute::name, attribute.name);
    std::visit(AddValue{message}, attribute.value);
  }
}

void OnnxGraph::constant(const std::string& name, const std::vector<std::int64_t>& shape,
                         std::span<const float> values) {
  add_tensor(constants_, name, OnnxType::f32, shape, std::as_bytes(values));
}

void OnnxGraph::constant(const std::string& name, const std::vector<std::int64_t>& shape,
                         std::span<const std::int64_t> values) {
  add_tensor(constants_, name, OnnxType::i64, shape, std::as_bytes(values));
}

std::string OnnxGraph::integers(const std::vector<std::int64_t>& values) {
  const auto [at, is_new] =
      integers_.try_emplace(values, fmt::format("integers_{}", fmt::join(values, "_")));
  if (is_new)
    constant(at->second, {static_cast<std::int64_t>(values.size())},
             std::span<const std::int64_t>(values));
  return at->second;
}

void OnnxGraph::input(OnnxValue value) { inputs_.push_back(std::move(value)); }

void OnnxGraph::output(OnnxValue value) { outputs_.push_back(std::move(value)); }

std::string OnnxGraph::model(const std::map<std::string, std::string>& metadata) const {
  std::string name, values, bytes;
  {
    Message<Graph> graph(name);
    graph.add_string(Graph::name, "unroll");
  }
  {
    Message<Graph> graph(values);
    for (const OnnxValue& value : inputs_) add_value(graph, Graph::input, value);
    for (const OnnxValue& value : outputs_) add_value(graph, Graph::output, value);
  }
  // Fields ascend, as in files of protobuf's own libraries.
  Message<Model> model(bytes);
  model.add_int64(Model::ir_version, ir_version);
  model.add_string(Model::producer_name, "unroll");
  model.add_string(Model::producer_version, UNROLL_VERSION);
  model.add_message(Model::graph, nodes_ + name + constants_ + values);
  {
    Message<OpsetId> opset_id(model, Model::opset_import);
    opset_id.add_string(OpsetId::domain, "");  // ONNX's own operators
    opset_id.add_int64(OpsetId::version, opset);
  }
  for (const auto& [key, value] : metadata) {
    Message<Entry> entry(model, Model::metadata_props);
    entry.add_string(Entry::key, key);
    entry.add_string(Entry::value, value);
  }
  return bytes;
}

}  // namespace unroll::exporter
