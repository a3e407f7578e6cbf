/* Running trained models from C, and from any language that can call C (C99, plain types only).
 *
 *     unroll_model* model = unroll_model_load("model.safetensors");
 *     if (!model) fprintf(stderr, "%s\n", unroll_last_error());
 *     unroll_stream* stream = unroll_stream_new(model, 1);
 *     while (read(in)) unroll_stream_step(stream, in, inputs, out, outputs);
 *     unroll_stream_free(stream);
 *     unroll_model_free(model);
 *
 * Numbers are 32-bit floats, whatever type the weights were stored in. They have the same bits on
 * every machine. A model of pixels reads scaled pixels, (pixel / 255 - mean) / std, with the mean
 * and std of its description. A model of tokens reads whole numbers from 0; another number gives
 * UNROLL_ERROR_VALUE and changes nothing.
 *
 * Arrays are row-major without gaps. Every array comes with the count of its numbers. A wrong count
 * is an error, never an overrun. N is the number of sequences, T of steps, I of inputs per step and
 * C of outputs.
 *
 * No function throws or ends the process. On failure a function returns NULL, or a status other
 * than UNROLL_OK, and unroll_last_error() gives the reason. Passing NULL for an object is such a
 * failure, but unroll_*_free(NULL) does nothing.
 *
 * A child of fork() keeps the models and streams of its parent, and starts threads of its own when
 * it first needs them. The library's threads block all signals that are sent to the process. */
#ifndef UNROLL_C_H
#define UNROLL_C_H

#include <stddef.h>

#include "unroll/core/api.h"

#ifdef __cplusplus
#define UNROLL_NOEXCEPT noexcept
extern "C" {
#else
#define UNROLL_NOEXCEPT
#endif

/** A model ready to run; immutable, usable from several threads at once. */
typedef struct unroll_model unroll_model;

/** N sequences in progress, for one thread at a time. */
typedef struct unroll_stream unroll_stream;

/** Result of a call. The values never change. */
typedef enum unroll_status {
  UNROLL_OK = 0,
  UNROLL_ERROR_VALUE = 1,    /**< an argument outside its range, or NULL */
  UNROLL_ERROR_SHAPE = 2,    /**< counts that do not fit together */
  UNROLL_ERROR_FILE = 3,     /**< the operating system refused */
  UNROLL_ERROR_FORMAT = 4,   /**< a file was read, but its content is invalid */
  UNROLL_ERROR_MEMORY = 5,   /**< not enough memory */
  UNROLL_ERROR_INTERNAL = 6, /**< anything else */
} unroll_status;

/** The reason of the last failure in this thread: one line, "[operation] what was given, what was
 * expected and the remedy", cut off after 1023 bytes. "" before any failure. Valid until the next
 * failure in this thread. */
UNROLL_API const char* unroll_last_error(void) UNROLL_NOEXCEPT;

/** The version of the running library, such as "1.2.3". */
UNROLL_API const char* unroll_version(void) UNROLL_NOEXCEPT;

/** The revision of the numerics. Libraries of the same revision compute the same bits. */
UNROLL_API int unroll_numerics_revision(void) UNROLL_NOEXCEPT;

/** Sets the number of threads of unroll_model_run, including the caller's: 1 to 1024, or 0 for the
 * cores that this process may use. Results are bit-identical for any number. Streams always run in
 * the calling thread. */
UNROLL_API unroll_status unroll_set_num_threads(int count) UNROLL_NOEXCEPT;

/** Loads a file written by Unroll. NULL on failure. */
UNROLL_API unroll_model* unroll_model_load(const char* path) UNROLL_NOEXCEPT;

/** Loads the bytes of such a file, which are copied. NULL on failure. */
UNROLL_API unroll_model* unroll_model_load_memory(const void* bytes, size_t size) UNROLL_NOEXCEPT;

/** Frees a model. Its streams stay usable. */
UNROLL_API void unroll_model_free(unroll_model* model) UNROLL_NOEXCEPT;

/** I of one step, or all numbers of one input if the model reads no sequences; 0 for NULL. */
UNROLL_API size_t unroll_model_inputs(const unroll_model* model) UNROLL_NOEXCEPT;

/** C, for a sequence or for each of its steps; 0 for NULL. */
UNROLL_API size_t unroll_model_outputs(const unroll_model* model) UNROLL_NOEXCEPT;

/** 1 if a sequence of T steps gives outputs for each step, (T, C); 0 if it gives one result, (C).
 */
UNROLL_API int unroll_model_gives_sequences(const unroll_model* model) UNROLL_NOEXCEPT;

/** 1 if the model can be streamed: it reads sequences and is not bidirectional. */
UNROLL_API int unroll_model_can_stream(const unroll_model* model) UNROLL_NOEXCEPT;

/** Runs N = `batch` whole sequences of T = `steps` steps, each on its own. The input is (N, T, I),
 * the output (N, C). If the model gives sequences, the output is (N, T, C), with 0 past the end of
 * a sequence. A model that reads no sequences takes steps 1. T is at least 1; N = 0 does nothing.
 *
 * `lengths` holds the number of steps of each sequence: N numbers from 1 to T in any order. NULL
 * means T for all. */
UNROLL_API unroll_status unroll_model_run(const unroll_model* model, const float* input,
                                          size_t input_count, size_t batch, size_t steps,
                                          const size_t* lengths, float* output,
                                          size_t output_count) UNROLL_NOEXCEPT;

/** Starts N = `count` sequences from their initial states. NULL on failure, for example if the
 * model can't be streamed. */
UNROLL_API unroll_stream* unroll_stream_new(const unroll_model* model,
                                            size_t count) UNROLL_NOEXCEPT;

/** A copy in the same state; both then run independently. NULL on failure. */
UNROLL_API unroll_stream* unroll_stream_copy(const unroll_stream* stream) UNROLL_NOEXCEPT;

UNROLL_API void unroll_stream_free(unroll_stream* stream) UNROLL_NOEXCEPT;

/** Takes the next step of every sequence, (N, I), and writes the outputs so far, (N, C).
 * unroll_model_run on the steps so far gives the same bits. `output` may be NULL with a count
 * of 0 if the outputs are not needed.
 *
 * This function and the three below never allocate memory, take a lock or start a thread, not even
 * if they refuse a call.
 *
 * In silence states decay to subnormal numbers, where many CPUs need up to a hundred times longer
 * for a step. If the calling thread flushes to zero (FTZ or DAZ on x86-64, FZ on aarch64), as audio
 * hosts do, states below 2^-96 become 0, here and in unroll_model_run, with the same bits on every
 * machine. The mode changes nothing else. Without it subnormal numbers are kept. */
UNROLL_API unroll_status unroll_stream_step(unroll_stream* stream, const float* input,
                                            size_t input_count, float* output,
                                            size_t output_count) UNROLL_NOEXCEPT;

/** Takes `steps` steps: from (steps, N, I) to (steps, N, C). */
UNROLL_API unroll_status unroll_stream_process(unroll_stream* stream, const float* input,
                                               size_t input_count, float* output,
                                               size_t output_count, size_t steps) UNROLL_NOEXCEPT;

/** Sets all sequences to their initial state. */
UNROLL_API unroll_status unroll_stream_reset(unroll_stream* stream) UNROLL_NOEXCEPT;

/** Sets one sequence, 0 to N - 1, to its initial state. */
UNROLL_API unroll_status unroll_stream_reset_one(unroll_stream* stream,
                                                 size_t sequence) UNROLL_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
