#include <gemel/scenarios/outcome.hpp>

#include <array>

namespace gemel::scenarios {

// Each is defined in the file of its name.
using BindOutcome = BoundOutcome(const OutcomeCall&, const OutcomeContext&, sim::DiagnosticList&);
BindOutcome bind_auc, bind_cmax, bind_cmin, bind_time_above, bind_times_acted, bind_tmax, bind_tmin,
    bind_trough;

std::span<const OutcomeFunction> outcome_functions() {
    // One line per function, in alphabetical order.
    static constexpr std::array functions{
        OutcomeFunction{"auc", "auc(output, window)", "area under the output", bind_auc},
        OutcomeFunction{"cmax", "cmax(output, window)", "largest value of the output", bind_cmax},
        OutcomeFunction{
            "cmin", "cmin(output, window)", "smallest value of the output, its nadir", bind_cmin},
        OutcomeFunction{"time_above",
                        "time_above(output, threshold, window)",
                        "time during which the output is above the threshold",
                        bind_time_above},
        OutcomeFunction{"times_acted",
                        "times_acted(name) or times_acted(name, window)",
                        "how often the regimen's entry of this name, with `when`, came",
                        bind_times_acted},
        OutcomeFunction{"tmax",
                        "tmax(output, window)",
                        "time of the largest value, from the start of the window",
                        bind_tmax},
        OutcomeFunction{"tmin",
                        "tmin(output, window)",
                        "time of the smallest value, from the start of the window",
                        bind_tmin},
        OutcomeFunction{"trough",
                        "trough(output) or trough(output, time)",
                        "value just before the dose after the last interval, or before a time",
                        bind_trough},
    };
    return functions;
}

} // namespace gemel::scenarios
