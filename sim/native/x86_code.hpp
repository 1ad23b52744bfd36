#pragma once

#include "lanes/primitive_program.hpp"
#include "native/code_image.hpp"
#include "native/x86_assembler.hpp"

#include <span>
#include <vector>

/// Machine code for x86-64 out of primitives, by ourselves: in time proportional to them, some
/// thousand times less than a compiler for everything takes.
namespace gemel::sim {

struct X86Code {
    CodeImage image;          ///< one function per program
    std::vector<int> n_slots; ///< of each program, scratch included
};

/// @param programs  of one function each
/// @param width     lanes, a multiple of 8
X86Code x86_code(std::span<const PrimitiveProgram> programs, int width, VectorSet set);

} // namespace gemel::sim
