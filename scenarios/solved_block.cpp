#include "solved_block.hpp"

#include "outcome_text.hpp"

namespace gemel::scenarios {

std::vector<double>
outcomes_of(const Study& study, std::size_t arm, const sim::BlockResult& result) {
    std::vector<double> outcomes(result.functionals.size());
    const std::size_t count = result.status.size();
    for (std::size_t i = 0; i < study.outcomes.size(); ++i) {
        const Outcome& outcome = study.outcomes[i];
        const double offset = study.bound_outcomes[arm][i].offset;
        for (std::size_t k = i * count; k < (i + 1) * count; ++k) {
            const double value = result.functionals[k] + offset;
            outcomes[k] = value;
            if (!outcome.comparison.empty() && value == value)
                outcomes[k] =
                    holds(outcome.comparison, value, study.outcome_thresholds[i]) ? 1.0 : 0.0;
        }
    }
    return outcomes;
}

} // namespace gemel::scenarios
