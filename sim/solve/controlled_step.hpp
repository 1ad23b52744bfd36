#pragma once

#include "solve/step_program.hpp"

#include <cstdint>

/// A method's step with all its control, in one program: how far to go, whether the step is good,
/// the states, time and step after it. The engine looks only at lanes that ask for it.
namespace gemel::sim {

/// What a lane has beside its states, as leaves of kind `control`.
enum class Control : int {
    time,      ///< now
    step,      ///< to try next
    stop,      ///< no step goes beyond
    event,     ///< time of the last event, from which an exact part counts
    sample,    ///< when the next sample is to be taken
    due,       ///< a step that goes beyond this takes it
    alarm,     ///< a step that gets here asks for attention
    growth,    ///< the next step may be so many times as long
    left,      ///< steps that may still be tried, −1 when there is one too many
    watch,     ///< with so many left, or fewer, every step asks for attention
    look_time, ///< of `look`
    live,      ///< 0: nobody is in this lane, and it never asks for attention
};
inline constexpr int n_controls = static_cast<int>(Control::live) + 1;
constexpr Leaf control(Control which) {
    return {LeafKind::control, static_cast<int>(which)};
}

/// What became of a step.
enum class Verdict : int {
    accepted,
    inaccurate,
    singular,   ///< the linear systems were not solved well
    not_finite, ///< a state or the error
    no_progress ///< the step is too short for the clock
};

/// Why a lane asks for attention, added up.
inline constexpr int sample_is_due = 1,
                     is_called = 2; ///< by its alarm or watch, or the step was not good

/// step_layout() with the clock of a controlled step: time, or with an exact part the time since
/// the last event, and the step that control chose.
StepLayout controlled_layout(CompiledSystem& system, const StepMethod& method);

/// The program `step` out of a method's bare one (StepMethod::build) on that clock. States, and an
/// explicit method's rates, are those at the end where the step is good, and stay otherwise; ends
/// of exact states, dense output, `begin`, `verdict`, `attention` and `from` come as results.
ProgramSpec
controlled_step(CompiledSystem& system, const ProgramSpec& bare, const StepLayout& layout);

/// The program `edge` of an explicit method: whether the step about to be taken is as long as
/// stability allows. Empty of another's.
ProgramSpec edge_program(CompiledSystem& system, const ProgramSpec& bare, const StepLayout& layout);

/// The program `look`: every output at `look_time`, which is within the step just taken.
ProgramSpec look_program(CompiledSystem& system, const StepLayout& layout);
/// The same at `sample`, made of the lowered one so that it gives the same bits.
LaneProgram samples_program(LaneProgram look);

} // namespace gemel::sim
