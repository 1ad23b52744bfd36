#include "outcomes/window.hpp"

namespace gemel::scenarios {

/// For how long in the window the output is above the threshold.
BoundOutcome bind_time_above(const OutcomeCall& call,
                             const OutcomeContext& context,
                             sim::DiagnosticList& diagnostics) {
    OutcomeArguments arguments(call, context, diagnostics);
    const int output = arguments.output();
    if (output < 0) return {};
    const auto threshold =
        arguments.constant(1, arguments.output_unit(output), "the threshold of time_above");
    const auto window = arguments.window(2);
    if (!threshold || !window) return {};
    return {{sim::FunctionalKind::time_above, output, window->from, window->to, *threshold},
            arguments.time_unit()};
}

} // namespace gemel::scenarios
