// Reads an .onnx file's bytes back, as onnx.proto describes them.
#pragma once

#include <cstdint>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <vector>

namespace unroll::test {

struct OnnxNode {
  std::string op;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, std::vector<std::int64_t>> integers;
  std::map<std::string, std::vector<std::string>> strings;
};

struct OnnxTensor {
  std::vector<std::int64_t> shape;
  std::int32_t type = 0;
  std::string data;

  std::vector<float> floats() const {
    std::vector<float> values(data.size() / sizeof(float));
    std::copy_n(data.data(), data.size(), reinterpret_cast<char*>(values.data()));
    return values;
  }
};

struct OnnxFile {
  std::int64_t ir_version = 0, opset = 0;
  std::map<std::string, std::string> metadata;
  std::vector<OnnxNode> nodes;
  std::map<std::string, OnnxTensor> constants;
  std::map<std::string, std::vector<std::string>> inputs, outputs;  // sizes, or their names

  explicit OnnxFile(const std::string& bytes) {
    for (protozero::pbf_reader model(bytes); model.next();) switch (model.tag()) {
        case 1:
          ir_version = model.get_int64();
          break;
        case 7:
          read_graph(model.get_message());
          break;
        case 8:
          for (protozero::pbf_reader id = model.get_message(); id.next();)
            id.tag() == 2 ? void(opset = id.get_int64()) : id.skip();
          break;
        case 14: {
          protozero::pbf_reader entry = model.get_message();
          std::string key, value;
          while (entry.next()) {
            // The tag is read first: reading the string moves on.
            std::string& text = entry.tag() == 1 ? key : value;
            text = entry.get_string();
          }
          metadata[key] = value;
          break;
        }
        default:
          model.skip();
      }
  }

 private:
  void read_graph(protozero::pbf_reader graph) {
    while (graph.next()) switch (graph.tag()) {
        case 1:
          nodes.push_back(node_of(graph.get_message()));
          break;
        case 5:
          read_constant(graph.get_message());
          break;
        case 11:
          read_value(graph.get_message(), inputs);
          break;
        case 12:
          read_value(graph.get_message(), outputs);
          break;
        default:
          graph.skip();
      }
  }

  static OnnxNode node_of(protozero::pbf_reader message) {
    OnnxNode node;
    while (message.next()) switch (message.tag()) {
        case 1:
          node.inputs.push_back(message.get_string());
          break;
        case 2:
          node.outputs.push_back(message.get_string());
          break;
        case 4:
          node.op = message.get_string();
          break;
        case 5: {
          std::string name;
          std::vector<std::int64_t> integers;
          std::vector<std::string> strings;
          for (protozero::pbf_reader a = message.get_message(); a.next();) switch (a.tag()) {
              case 1:
                name = a.get_string();
                break;
              case 3:
              case 8:
                integers.push_back(a.get_int64());
                break;
              case 4:
              case 9:
                strings.push_back(a.get_string());
                break;
              default:
                a.skip();
            }
          node.integers[name] = integers;
          node.strings[name] = strings;
          break;
        }
        default:
          message.skip();
      }
    return node;
  }

  void read_constant(protozero::pbf_reader message) {
    OnnxTensor tensor;
    std::string name;
    while (message.next()) switch (message.tag()) {
        case 1:
          tensor.shape.push_back(message.get_int64());
          break;
        case 2:
          tensor.type = message.get_int32();
          break;
        case 8:
          name = message.get_string();
          break;
        case 9:
          tensor.data = message.get_string();
          break;
        default:
          message.skip();
      }
    constants[name] = tensor;
  }

  static void read_value(protozero::pbf_reader message,
                         std::map<std::string, std::vector<std::string>>& to) {
    std::string name;
    std::vector<std::string> sizes;
    while (message.next()) {
      if (message.tag() == 1) {
        name = message.get_string();
      } else if (message.tag() == 2) {
        protozero::pbf_reader type = message.get_message();
        type.next();
        for (protozero::pbf_reader tensor = type.get_message(); tensor.next();) {
          if (tensor.tag() != 2) {
            tensor.skip();
            continue;
          }
          for (protozero::pbf_reader shape = tensor.get_message(); shape.next();) {
            protozero::pbf_reader dim = shape.get_message();
            dim.next();
            sizes.push_back(dim.tag() == 1 ? std::to_string(dim.get_int64()) : dim.get_string());
          }
        }
      } else {
        message.skip();
      }
    }
    to[name] = sizes;
  }
};

}  // namespace unroll::test
