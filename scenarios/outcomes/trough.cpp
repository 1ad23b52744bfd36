#include "outcomes/window.hpp"

namespace gemel::scenarios {

/// The value just before the dose that would follow the last interval, or just before a time.
BoundOutcome bind_trough(const OutcomeCall& call,
                         const OutcomeContext& context,
                         sim::DiagnosticList& diagnostics) {
    OutcomeArguments arguments(call, context, diagnostics);
    const int output = arguments.output();
    const auto time = arguments.trough_time(1);
    if (output < 0 || !time) return {};
    return {{sim::FunctionalKind::value_before, output, 0.0, *time}, arguments.output_unit(output)};
}

} // namespace gemel::scenarios
