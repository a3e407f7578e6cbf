/* Running trained models from C, and from any language that can call C (C99, plain types only).
 *
 *     unroll_model* model = unroll_model_load("model.safetensors");
 *     if (!model) fprintf(stderr, "%s\n", unroll_last_error());
 *     unroll_stream* stream = unroll_stream_new(model, 1);
 *     while (read(in)) unroll_stream_step(stream, in, inputs, out, outputs);
 *     unroll_stream_free(stream);
 *     unroll_model_free(model);
 *
 * Numbers are 32-bit floats, whatever type the weights were stored in, and have the same bits on
 * every machine. Inputs go in as the first layer reads them: a model of pixels wants them scaled,
 * (pixel / 255 - mean) / std, as its description says. A model of tokens wants whole numbers from 0
 * on; any other number is UNROLL_ERROR_VALUE and changes nothing. Arrays are row-major without
 * gaps; every array comes with the count of its numbers, and a count that doesn't fit is an error
 * and not an overrun. N sequences, T steps, I inputs and C outputs of a step.
 *
 * No function throws or ends the process. One that returns a pointer gives NULL where it fails, one
 * that returns a status something else than UNROLL_OK; unroll_last_error() says why. A NULL where
 * an object is expected is such an error, but unroll_*_free(NULL) does nothing.
 *
 * A child of fork() has the models and streams of its parent, and starts threads of its own when it
 * first needs them. The library's threads block all signals that are sent to the process. */
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

/** Sequences in progress, for one thread at a time. */
typedef struct unroll_stream unroll_stream;

/** What a call came to. The values never change. */
typedef enum unroll_status {
  UNROLL_OK = 0,
  UNROLL_ERROR_VALUE = 1,    /**< an argument outside its range, or NULL */
  UNROLL_ERROR_SHAPE = 2,    /**< counts that do not fit together */
  UNROLL_ERROR_FILE = 3,     /**< the operating system refused */
  UNROLL_ERROR_FORMAT = 4,   /**< a file was read but its content is not what it should be */
  UNROLL_ERROR_MEMORY = 5,   /**< not enough memory */
  UNROLL_ERROR_INTERNAL = 6, /**< anything else */
} unroll_status;

/** Why the last call that failed in this thread did: one line, "[operation] what was given, what
 * was expected and the remedy", cut off after 1023 bytes. "" before any failure. Valid until the
 * next failure in this thread. */
UNROLL_API const char* unroll_last_error(void) UNROLL_NOEXCEPT;

/** The version of the library that runs, "1.2.3". */
UNROLL_API const char* unroll_version(void) UNROLL_NOEXCEPT;

/** The revision of the numerics: two libraries of the same one compute the same bits. */
UNROLL_API int unroll_numerics_revision(void) UNROLL_NOEXCEPT;

/** Sets the number of threads of unroll_model_run, from 1 to 1024, the caller included; 0: the
 * cores that this process may use. Streams use the thread that calls. Results don't depend on it.
 */
UNROLL_API unroll_status unroll_set_num_threads(int count) UNROLL_NOEXCEPT;

/** Loads a file written by Unroll. NULL on failure. */
UNROLL_API unroll_model* unroll_model_load(const char* path) UNROLL_NOEXCEPT;

/** The same from the bytes of such a file, which are copied. NULL on failure. */
UNROLL_API unroll_model* unroll_model_load_memory(const void* bytes, size_t size) UNROLL_NOEXCEPT;

/** Streams of the model stay usable. */
UNROLL_API void unroll_model_free(unroll_model* model) UNROLL_NOEXCEPT;

/** I of one step, or all numbers of one input of a model that reads no sequences; 0 of NULL. */
UNROLL_API size_t unroll_model_inputs(const unroll_model* model) UNROLL_NOEXCEPT;

/** C, of a sequence, or of each of its steps; 0 of NULL. */
UNROLL_API size_t unroll_model_outputs(const unroll_model* model) UNROLL_NOEXCEPT;

/** 1 where a whole sequence of T steps gives outputs for each step, (T, C); 0 where it gives one
 * result, (C). */
UNROLL_API int unroll_model_gives_sequences(const unroll_model* model) UNROLL_NOEXCEPT;

/** 1 where the model can be streamed: it reads sequences, and those forwards only. */
UNROLL_API int unroll_model_can_stream(const unroll_model* model) UNROLL_NOEXCEPT;

/** Runs N = `batch` whole sequences of T = `steps` steps, each on its own, from (N, T, I) to (N,
 * C), or to (N, T, C), with 0 past the end of a sequence, where the model gives sequences. A model
 * that reads no sequences takes steps 1. T is at least 1; an N of 0 does nothing.
 *
 * `lengths`, N numbers from 1 to T in any order, says how many of its T steps each sequence has;
 * NULL: all of them. */
UNROLL_API unroll_status unroll_model_run(const unroll_model* model, const float* input,
                                          size_t input_count, size_t batch, size_t steps,
                                          const size_t* lengths, float* output,
                                          size_t output_count) UNROLL_NOEXCEPT;

/** N = `count` sequences from their initial states. NULL on failure, such as a model that needs
 * all of a sequence at once. */
UNROLL_API unroll_stream* unroll_stream_new(const unroll_model* model,
                                            size_t count) UNROLL_NOEXCEPT;

/** Another stream in the same state, which goes its own way from here. NULL on failure. */
UNROLL_API unroll_stream* unroll_stream_copy(const unroll_stream* stream) UNROLL_NOEXCEPT;

UNROLL_API void unroll_stream_free(unroll_stream* stream) UNROLL_NOEXCEPT;

/** Takes the next step of every sequence, (N, I), and gives the outputs so far, (N, C), with the
 * bits that unroll_model_run has for the steps so far. `output` may be NULL with a count of 0 where
 * nobody wants them yet.
 *
 * Neither this nor the three functions below ask for memory, take a lock or start a thread, also
 * where they refuse a call.
 *
 * In silence states die away to subnormal numbers, where many CPUs need up to a hundred times
 * longer for a step. If the calling thread flushes to zero (FTZ or DAZ on x86-64, FZ on aarch64),
 * as audio hosts have it, states below 2^-96 become 0, here and in unroll_model_run, with the same
 * bits on every machine. The mode changes nothing else; without it subnormal numbers are kept. */
UNROLL_API unroll_status unroll_stream_step(unroll_stream* stream, const float* input,
                                            size_t input_count, float* output,
                                            size_t output_count) UNROLL_NOEXCEPT;

/** A block of `steps` steps: from (steps, N, I) to (steps, N, C). */
UNROLL_API unroll_status unroll_stream_process(unroll_stream* stream, const float* input,
                                               size_t input_count, float* output,
                                               size_t output_count, size_t steps) UNROLL_NOEXCEPT;

/** All sequences back to their beginning. */
UNROLL_API unroll_status unroll_stream_reset(unroll_stream* stream) UNROLL_NOEXCEPT;

/** This sequence alone, from 0 to N - 1. */
UNROLL_API unroll_status unroll_stream_reset_one(unroll_stream* stream,
                                                 size_t sequence) UNROLL_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
