#pragma once

#include "lanes/primitive_op.hpp"

#include <cstddef>
#include <cstdint>

/// The interface of the plug-in that turns primitives into machine code: plain C, so that neither
/// side sees the other's C++, and one function to ask for. The engine opens the plug-in when native
/// code is first wanted and never links it.
namespace gemel::sim {

/// Changes whenever something below or the meaning of a primitive does: another's plug-in is
/// refused, and objects made by it are not found.
inline constexpr std::uint32_t plug_in_interface = 1;

extern "C" {

struct GemelFunction {
    const char* name; ///< of the symbol; void name(double* workspace)
    const PrimitiveOp* ops;
    std::size_t n_ops;
};

struct GemelRequest {
    const GemelFunction* functions;
    std::size_t n_functions;
    std::uint32_t width;  ///< doubles per slot: 1, or a multiple of 8 with a workspace on 64 bytes
    const char* triple;   ///< the target, such as "x86_64-unknown-linux-gnu"
    const char* cpu;      ///< such as "x86-64-v3"
    const char* features; ///< such as "+avx512f"; may be ""
    std::uint32_t level;  ///< of code generation, 0 … 3
};

/// An object file (ELF), or why there is none. Freed by the plug-in that made it.
struct GemelReply {
    unsigned char* object;
    std::size_t size;
    char* error; ///< null if there is an object
};

/// What the plug-in's one symbol `gemel_llvm_plug_in` returns: a table that lives as long as it.
struct GemelPlugIn {
    std::uint32_t interface; ///< plug_in_interface; read before anything else
    const char* version;     ///< of LLVM
    void (*emit)(const GemelRequest* request, GemelReply* reply); ///< from any thread
    void (*free)(GemelReply* reply);
};

using GemelPlugInFunction = const GemelPlugIn* (*)();
}

} // namespace gemel::sim
