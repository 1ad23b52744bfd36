#pragma once

#include <gemel/io/result_file.hpp>
#include <gemel/pkpd/dosing.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/sim/solver.hpp>

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Outcomes: one number per subject and arm, written in a study as `auc(Cp, last_interval)` or
/// `trough(Cp) >= 0.2[mg/L]`.
namespace gemel::scenarios {

/// What an outcome function may know about the arm it is bound to.
struct OutcomeContext {
    const pkpd::Model* model = nullptr;
    const pkpd::Regimen* regimen = nullptr;
    double duration = 0.0; ///< of the study, model time
    /// Each subject receives doses of its own, which no interval of the regimen knows of.
    bool is_dosed_by_data = false;
    /// Of all the study's regimens.
    const std::set<std::string>* trigger_names = nullptr;
};

/// A call such as `time_above(Cp, 0.2[mg/L], last_interval)`, parsed; arguments keep their places.
struct OutcomeCall {
    std::string function;
    sim::SourceSpan span; ///< of the call
    std::vector<sim::SourceText> arguments;
    sim::SourceSpan name_span = {}; ///< of the function's name
};

/// An outcome met with an arm: a functional of the engine, and the unit of its number.
struct BoundOutcome {
    sim::Functional functional;
    sim::Unit unit;
    double offset = 0.0; ///< added to the functional: tmax counts from the start of its window
};

/// A row of the one list of outcome functions.
struct OutcomeFunction {
    std::string_view name;      ///< "auc"
    std::string_view signature; ///< "auc(output, window)"
    std::string_view about;
    /// Mistakes go to diagnostics, then the result is meaningless.
    BoundOutcome (*bind)(const OutcomeCall& call,
                         const OutcomeContext& context,
                         sim::DiagnosticList& diagnostics);
};
std::span<const OutcomeFunction> outcome_functions(); ///< the registry, in alphabetical order

/// `[outcomes] NAME = "call"` or `"call >= 0.2[mg/L]"` (then 1 where it holds, else 0).
struct Outcome {
    std::string name;
    sim::SourceText text;
    std::string comparison; ///< "", "<", "<=", ">", ">="
    OutcomeCall call;
    sim::SourceText threshold; ///< after the comparison
};

} // namespace gemel::scenarios
