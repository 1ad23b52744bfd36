#include "outcomes/window.hpp"

namespace gemel::scenarios {

/// ∫ output dt over the window, integrated with the system; no grid enters.
BoundOutcome
bind_auc(const OutcomeCall& call, const OutcomeContext& context, sim::DiagnosticList& diagnostics) {
    OutcomeArguments arguments(call, context, diagnostics);
    const int output = arguments.output();
    const auto window = arguments.window(1);
    if (output < 0 || !window) return {};
    return {{sim::FunctionalKind::integral, output, window->from, window->to},
            arguments.output_unit(output) * arguments.time_unit()};
}

} // namespace gemel::scenarios
