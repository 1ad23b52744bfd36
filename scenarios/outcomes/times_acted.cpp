#include "outcomes/window.hpp"

#include <fmt/format.h>

namespace gemel::scenarios {

/// How often an entry with `when` came in the window; 0 in arms whose regimen has none of the name.
BoundOutcome bind_times_acted(const OutcomeCall& call,
                              const OutcomeContext& context,
                              sim::DiagnosticList& diagnostics) {
    OutcomeArguments arguments(call, context, diagnostics);
    if (call.arguments.empty()) {
        diagnostics.add(call.span,
                        "times_acted needs the name of an entry with `when`",
                        "as in times_acted(rescue, 0[h], 24[h])");
        return {};
    }
    const std::string& name = call.arguments.front().text;
    const auto window = call.arguments.size() == 1 ? std::optional<Window>({0.0, context.duration})
                                                   : arguments.window(1);
    if (context.trigger_names != nullptr && !context.trigger_names->contains(name)) {
        diagnostics.add(call.arguments.front().start,
                        fmt::format("no regimen has an entry with `when` and name = \"{}\"", name),
                        sim::suggest(name,
                                     std::vector<std::string>(context.trigger_names->begin(),
                                                              context.trigger_names->end())));
        return {};
    }
    if (!window) return {};
    sim::Functional functional{sim::FunctionalKind::times_acted,
                               context.regimen->find_trigger(name),
                               window->from,
                               window->to};
    return {functional, {}};
}

} // namespace gemel::scenarios
