// What a shared library shows.
#pragma once

/// Marks what a program may call: the shared libraries are compiled with everything else hidden.
/// Functions and classes need it; a struct of plain data does not.
#define UNROLL_API __attribute__((visibility("default")))
