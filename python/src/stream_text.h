// The docstrings of unroll.Stream.
#pragma once

namespace unroll::python::stream_text {

inline constexpr const char* stream = R"(N sequences in progress, which run step by step.

Streams come from :meth:`unroll.Model.stream`. After step t the answers have the same bits as
:meth:`unroll.Model.predict` gives for the first t steps. Use a stream in one thread at a time;
several streams of a model may run in several threads.

Examples
--------
>>> stream = model.stream(batch=4)
>>> stream
Stream(batch=4, inputs=2, outputs=3)
>>> stream.step(x[:, 0]).shape
(4, 3)
)";

inline constexpr const char* step = R"(Take the next step of every sequence.

Parameters
----------
x : array
    The step, (N, I). Also (I,) for one sequence, and (N,) for one number each or tokens.
out : array, optional
    Where the answers go: (N, C), contiguous, of the model's type. No array is made then, if x is
    contiguous and of the model's type too.

Returns
-------
array
    The answers after this step, (N, C), or (C,) for one sequence without the dimension N.

Raises
------
ShapeError
    If an array does not fit. The sequences stay as they were.

Notes
-----
Other Python threads wait during a step, because letting them run would take longer than a
usual step. :meth:`process` lets them run.

Examples
--------
>>> stream = model.stream()
>>> out = np.empty(3, np.float32)
>>> for step in x[0]:
...     answers = stream.step(step, out=out)
>>> answers is out
True
)";

inline constexpr const char* process = R"(Take several steps of every sequence at once.

Parameters
----------
x : array
    The steps, (T, N, I): steps come first. Also (T, I) for one sequence.
out : array, optional
    Where the answers go: (T, N, C), contiguous, of the model's type.

Returns
-------
array
    The answers after each step, (T, N, C), or (T, C) for one sequence without the dimension N.

Raises
------
ShapeError
    If an array does not fit. The sequences stay as they were.

Examples
--------
>>> stream = model.stream()
>>> stream.process(x[0]).shape
(10, 3)
)";

inline constexpr const char* reset = R"(Start sequences again, from their initial state.

Parameters
----------
done : array of bool, optional
    A mask (N,): true for each sequence that starts again. Without it all do.

Examples
--------
>>> stream = model.stream(batch=4)
>>> stream.reset()
>>> stream.reset([True, False, False, True])
)";

inline constexpr const char* state = R"(The states of the recurrent layers after the last step.

A list with h of each layer, (N, H), or with (h, c) of each layer of an LSTM. The arrays are copies.
Set it to go on from other states.

Readouts over several steps (mean, max) and convolutions keep more than these states. For such models
keep a :meth:`copy` instead.

Examples
--------
>>> stream = model.stream(batch=4)
>>> before = stream.state
>>> answers = stream.step(x[:, 0])
>>> stream.state = before
>>> bool((stream.step(x[:, 0]) == answers).all())
True
)";

inline constexpr const char* copy = R"(Make a stream of its own that stands at the same step.

Returns
-------
Stream
    The copy. It has all that the stream keeps, so its answers go on with the same bits.

Examples
--------
>>> stream = model.stream(batch=4)
>>> answers = stream.copy().step(x[:, 0])
>>> bool((stream.step(x[:, 0]) == answers).all())
True
)";

inline constexpr const char* batch = "The number of sequences, N.";
inline constexpr const char* inputs = "The numbers of a step of one sequence, I.";
inline constexpr const char* outputs = "The numbers of an answer, C.";

}  // namespace unroll::python::stream_text
