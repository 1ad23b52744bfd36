#include "outcomes/window.hpp"

namespace gemel::scenarios {

/// When the smallest value in the window is first reached, counted from the start of the window.
BoundOutcome bind_tmin(const OutcomeCall& call,
                       const OutcomeContext& context,
                       sim::DiagnosticList& diagnostics) {
    OutcomeArguments arguments(call, context, diagnostics);
    const int output = arguments.output();
    const auto window = arguments.window(1);
    if (output < 0 || !window) return {};
    return {{sim::FunctionalKind::time_of_minimum, output, window->from, window->to},
            arguments.time_unit(),
            -window->from};
}

} // namespace gemel::scenarios
