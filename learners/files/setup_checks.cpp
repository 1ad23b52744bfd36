#include "setup_checks.hpp"

#include "fit_data.hpp"
#include "predictor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace gemel::learners {

namespace {

void check_solver_applies(const FitData& data,
                          const FitWords& words,
                          sim::DiagnosticList& diagnostics) {
    const sim::Solver* solver = sim::find_solver(data.setup().options.solver);
    if (solver == nullptr || solver->applies == nullptr) return;
    const sim::CompiledSystem system = sim::compile(data.system());
    if (solver->applies(system)) return;
    diagnostics.add(words.solver_span,
                    fmt::format("solver '{}' does not apply to this model: {}",
                                solver->name,
                                solver->why_not != nullptr ? solver->why_not(system)
                                                           : std::string(solver->about)),
                    "solver = \"auto\" chooses one");
}

/// Its logarithm is what a log-normal error is about.
void check_positive(const FitSetup& setup, sim::DiagnosticList& diagnostics) {
    const pkpd::DataSet& data = *setup.data;
    for (const pkpd::DataSubject& subject : data.subjects)
        for (const pkpd::DataObservation& observation : subject.observations) {
            if (!is_used(setup, observation) || observation.cens != 0 || observation.dv > 0.0)
                continue;
            const auto output = static_cast<std::size_t>(observation.output);
            if (setup.model->residual_errors[output].law != pkpd::ResidualError::Law::lognormal)
                continue;
            diagnostics.add({data.file, data.lines[observation.row], 1, 1},
                            fmt::format("{} is {:g} here, and its error is log-normal: only "
                                        "values above 0 are possible",
                                        setup.model->system.outputs[output].name,
                                        observation.dv),
                            "give another law below [outputs], or say by CENS that the value is "
                            "below a limit");
            return; // others of the file would be told alike
        }
}

/// Of the observations of the first subjects, whose effects are 0; NaN where there is no value.
std::vector<std::vector<double>> predictions_without_effects(const FitData& data) {
    constexpr std::size_t most_subjects = 50;
    const std::size_t n = std::min(data.n_subjects(), most_subjects);
    FitExecution execution;
    execution.n_threads = 1;
    Predictor predictor(data, execution);
    std::vector<std::size_t> subjects(n), first{0};
    std::iota(subjects.begin(), subjects.end(), std::size_t{0});
    for (std::size_t s = 0; s < n; ++s)
        first.push_back(first.back() + data.subjects[s].measured.size());
    const std::vector<double> theta = pkpd::laws_of(data.model()).typical;
    const std::vector<double> effects(n * data.max_effects, 0.0);
    std::vector<double> values(first.back() * predictor.n_columns());
    predictor.predict({subjects, theta, effects, data.max_effects, std::span(first).first(n)},
                      values);
    std::vector<std::vector<double>> predicted(n);
    for (std::size_t s = 0; s < n; ++s) {
        predicted[s].assign(data.setup().data->subjects[s].observations.size(),
                            std::numeric_limits<double>::quiet_NaN());
        for (std::size_t m = 0; m < data.subjects[s].measured.size(); ++m)
            predicted[s][data.subjects[s].measured[m].observation] =
                values[(first[s] + m) * predictor.n_columns()];
    }
    return predicted;
}

} // namespace

void check_setup(const FitSetup& setup, const FitWords& words, sim::DiagnosticList& diagnostics) {
    const FitData data(setup);
    const std::size_t n_before = diagnostics.size();
    check_solver_applies(data, words, diagnostics);
    check_positive(setup, diagnostics);
    if (diagnostics.size() != n_before || words.data.has_any_scale ||
        !pkpd::has_values(*setup.data))
        return;
    for (const pkpd::DataScale& scale :
         pkpd::compare_scales(*setup.data, predictions_without_effects(data)))
        if (scale.is_far()) pkpd::tell_far(scale, *setup.data, *setup.model, diagnostics);
}

} // namespace gemel::learners
