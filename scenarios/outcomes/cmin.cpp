#include "outcomes/window.hpp"

namespace gemel::scenarios {

/// The smallest value in the window, a nadir, found between steps as well; no grid enters.
BoundOutcome bind_cmin(const OutcomeCall& call,
                       const OutcomeContext& context,
                       sim::DiagnosticList& diagnostics) {
    OutcomeArguments arguments(call, context, diagnostics);
    const int output = arguments.output();
    const auto window = arguments.window(1);
    if (output < 0 || !window) return {};
    return {{sim::FunctionalKind::minimum, output, window->from, window->to},
            arguments.output_unit(output)};
}

} // namespace gemel::scenarios
