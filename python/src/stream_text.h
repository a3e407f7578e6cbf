// The docstrings of unroll.Stream.
#pragma once

namespace unroll::python::stream_text {

inline constexpr const char* stream = "Sequences that run step by step.";
inline constexpr const char* step = "Take the next step of every sequence.";
inline constexpr const char* process = "Take several steps at once.";
inline constexpr const char* reset = "Start sequences again.";
inline constexpr const char* state = "The states.";
inline constexpr const char* copy = "A stream of its own, at the same step.";
inline constexpr const char* batch = "The number of sequences, N.";

}  // namespace unroll::python::stream_text
