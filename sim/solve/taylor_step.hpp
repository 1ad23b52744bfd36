#pragma once

#include "solve/step_program.hpp"

#include <cstdint>

namespace gemel::sim {

/// Of the series of one step.
inline constexpr int taylor_order = 9;

/// The step of the Taylor series method as one program: coefficients of all states up to
/// `taylor_order`, which are the dense output as well; the error is what the polynomial's slope at
/// the end lacks, by rates there.
ProgramSpec taylor_step(CompiledSystem& system, const StepLayout& layout, double rtol);

/// Operations of its coefficients, about; the largest number there is if an exponent varies.
std::int64_t taylor_operations(const CompiledSystem& system);

} // namespace gemel::sim
