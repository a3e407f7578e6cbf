// The C interface. Every function checks its pointers, calls the C++ function, and turns an
// exception into a status and a text.
#include "unroll/c.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "core/numerics.h"
#include "infer/stream_counts.h"
#include "infer/tokens.h"
#include "unroll/core/error.h"
#include "unroll/core/threads.h"
#include "unroll/infer/model.h"
#include "unroll/infer/stream.h"

using unroll::ValueError;

struct unroll_model {
  unroll::infer::Model<float> model;
  bool gives_sequences, can_stream;

  explicit unroll_model(unroll::infer::Model<float> m) : model(std::move(m)) {
    const unroll::spec::ModelSpec& spec = model.description();
    gives_sequences =
        unroll::spec::features_of(spec).back().kind == unroll::spec::Features::Kind::sequence;
    can_stream = unroll::spec::is_sequence(spec.input) && unroll::spec::reads_ahead(spec).empty();
  }
};

struct unroll_stream {
  unroll::infer::Stream<float> stream;
  std::size_t inputs, outputs;  // numbers in one step of one sequence
  std::size_t tokens;           // 0: the inputs are numbers
};

namespace {

// Not a std::string, because a failed unroll_stream_step must not allocate memory.
thread_local char last_error[1024] = "";

unroll_status fail(unroll_status status, std::string_view text) noexcept {
  const std::size_t length = std::min(text.size(), sizeof last_error - 1);
  std::memcpy(last_error, text.data(), length);
  last_error[length] = '\0';
  return status;
}

/// The status of the exception being handled. Keeps its text.
unroll_status failure() noexcept {
  try {
    throw;
  } catch (const ValueError& error) {
    return fail(UNROLL_ERROR_VALUE, error.what());
  } catch (const unroll::ShapeError& error) {
    return fail(UNROLL_ERROR_SHAPE, error.what());
  } catch (const unroll::FileError& error) {
    return fail(UNROLL_ERROR_FILE, error.what());
  } catch (const unroll::FormatError& error) {
    return fail(UNROLL_ERROR_FORMAT, error.what());
  } catch (const std::bad_alloc&) {
    return fail(UNROLL_ERROR_MEMORY, "[unroll] not enough memory");
  } catch (const std::exception& error) {
    return fail(UNROLL_ERROR_INTERNAL, error.what());
  } catch (...) {
    return fail(UNROLL_ERROR_INTERNAL, "[unroll] unknown failure");
  }
}

template <class F>
unroll_status status_of(F&& work) noexcept {
  try {
    work();
    return UNROLL_OK;
  } catch (...) {
    return failure();
  }
}

template <class F>
auto pointer_of(F&& work) noexcept -> decltype(work()) {
  try {
    return work();
  } catch (...) {
    failure();
    return nullptr;
  }
}

// A refused call on a stream must not allocate, so it can't throw. These functions keep the text.

unroll_status refuse(unroll_status status, const char* operation, const char* text) noexcept {
  std::snprintf(last_error, sizeof last_error, "[%s] %s", operation, text);
  return status;
}

unroll_status refuse_null(const char* what) noexcept {
  std::snprintf(last_error, sizeof last_error, "[c] %s is NULL", what);
  return UNROLL_ERROR_VALUE;
}

/// Checks an array with `each` numbers for each step of each of the stream's sequences.
unroll_status check_array(const unroll_stream& stream, const float* array, std::size_t given,
                          std::size_t each, std::size_t steps, const char* name,
                          const char* numbers) noexcept {
  if (!array && given > 0) return refuse_null(name);
  char text[200];
  const std::string_view wrong =
      unroll::infer::wrong_count(given, stream.stream.count(), each, steps, numbers, text);
  return wrong.empty() ? UNROLL_OK : refuse(UNROLL_ERROR_SHAPE, "infer", text);
}

unroll_status check_input(const unroll_stream& stream, const float* input, std::size_t given,
                          std::size_t steps) noexcept {
  const unroll_status status =
      check_array(stream, input, given, stream.inputs, steps, "input", "inputs");
  if (status != UNROLL_OK || stream.tokens == 0) return status;
  char text[200];
  const std::string_view wrong =
      unroll::infer::wrong_token<float>({input, given}, 0, stream.tokens, text);
  return wrong.empty() ? UNROLL_OK : refuse(UNROLL_ERROR_VALUE, "infer", text);
}

unroll_status check_steps(const unroll_stream* stream, const float* input, std::size_t inputs,
                          const float* output, std::size_t outputs, std::size_t steps) noexcept {
  if (!stream) return refuse_null("stream");
  const unroll_status status = check_input(*stream, input, inputs, steps);
  return status != UNROLL_OK
             ? status
             : check_array(*stream, output, outputs, stream->outputs, steps, "output", "outputs");
}

/// The object behind the caller's pointer. Throws ValueError for NULL.
template <class T>
T& object(T* pointer, const char* what) {
  if (!pointer) throw ValueError("c", std::string(what) + " is NULL");
  return *pointer;
}

template <class T>
std::span<T> array(T* pointer, std::size_t count, const char* what) {
  if (!pointer && count > 0) throw ValueError("c", std::string(what) + " is NULL");
  return {pointer, count};
}

}  // namespace

const char* unroll_last_error() noexcept { return last_error; }

const char* unroll_version() noexcept { return UNROLL_VERSION; }

int unroll_numerics_revision() noexcept { return unroll::numerics::revision; }

unroll_status unroll_set_num_threads(int count) noexcept {
  return status_of([&] { unroll::set_num_threads(count); });
}

unroll_model* unroll_model_load(const char* path) noexcept {
  return pointer_of(
      [&] { return new unroll_model(unroll::infer::Model<float>::load(&object(path, "path"))); });
}

unroll_model* unroll_model_load_memory(const void* bytes, size_t size) noexcept {
  return pointer_of([&] {
    const auto given = array(static_cast<const std::byte*>(bytes), size, "bytes");
    return new unroll_model(
        unroll::infer::Model<float>::parse({given.begin(), given.end()}, "the model in memory"));
  });
}

void unroll_model_free(unroll_model* model) noexcept { delete model; }

size_t unroll_model_inputs(const unroll_model* model) noexcept {
  return model ? model->model.inputs() : 0;
}

size_t unroll_model_outputs(const unroll_model* model) noexcept {
  return model ? model->model.outputs() : 0;
}

int unroll_model_gives_sequences(const unroll_model* model) noexcept {
  return model && model->gives_sequences;
}

int unroll_model_can_stream(const unroll_model* model) noexcept {
  return model && model->can_stream;
}

unroll_status unroll_model_run(const unroll_model* model, const float* input, size_t input_count,
                               size_t batch, size_t steps, const size_t* lengths, float* output,
                               size_t output_count) noexcept {
  return status_of([&] {
    object(model, "model")
        .model.run(array(input, input_count, "input"), batch, steps,
                   array(output, output_count, "output"), array(lengths, lengths ? batch : 0, ""));
  });
}

unroll_stream* unroll_stream_new(const unroll_model* model, size_t count) noexcept {
  return pointer_of([&] {
    const auto& m = object(model, "model").model;
    const auto* in = std::get_if<unroll::spec::TokenInput>(&m.description().input);
    return new unroll_stream{m.stream(count), m.inputs(), m.outputs(),
                             in ? static_cast<std::size_t>(in->tokens) : 0};
  });
}

unroll_stream* unroll_stream_copy(const unroll_stream* stream) noexcept {
  return pointer_of([&] { return new unroll_stream(object(stream, "stream")); });
}

void unroll_stream_free(unroll_stream* stream) noexcept { delete stream; }

unroll_status unroll_stream_step(unroll_stream* stream, const float* input, size_t input_count,
                                 float* output, size_t output_count) noexcept {
  const bool wanted = output_count > 0;
  const unroll_status status =
      wanted   ? check_steps(stream, input, input_count, output, output_count, 1)
      : stream ? check_input(*stream, input, input_count, 1)
               : refuse_null("stream");
  if (status != UNROLL_OK) return status;
  return status_of([&] {
    if (wanted)
      stream->stream.step({input, input_count}, {output, output_count});
    else
      stream->stream.step({input, input_count});
  });
}

unroll_status unroll_stream_process(unroll_stream* stream, const float* input, size_t input_count,
                                    float* output, size_t output_count, size_t steps) noexcept {
  const unroll_status status = check_steps(stream, input, input_count, output, output_count, steps);
  if (status != UNROLL_OK) return status;
  return status_of([&] {
    stream->stream.process({input, input_count}, {output, output_count}, steps);
  });
}

unroll_status unroll_stream_reset(unroll_stream* stream) noexcept {
  if (!stream) return refuse_null("stream");
  return status_of([&] { stream->stream.reset(); });
}

unroll_status unroll_stream_reset_one(unroll_stream* stream, size_t sequence) noexcept {
  if (!stream) return refuse_null("stream");
  const std::size_t count = stream->stream.count();
  if (sequence < count) return status_of([&] { stream->stream.reset(sequence); });
  char text[100];
  std::snprintf(text, sizeof text, "there is no sequence %zu, expected 0 to %zu", sequence,
                count - 1);
  return refuse(UNROLL_ERROR_VALUE, "stream", text);
}
