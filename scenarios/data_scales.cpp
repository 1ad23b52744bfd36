#include "data_scales.hpp"

#include "data_samples.hpp"
#include "engine.hpp"
#include "policies/policy_doses.hpp"

#include <algorithm>
#include <limits>

namespace gemel::scenarios {

namespace {

constexpr std::uint64_t most_subjects = 50;

/// What was observed was observed under the file's doses, and those alone.
Study typical_subjects(const Study& study) {
    Study typical = study;
    auto data = std::make_shared<pkpd::DataSet>(*study.data);
    data->ignores_doses = false;
    sim::DiagnosticList told_already;
    typical.population.data =
        std::make_shared<const pkpd::DataCohort>(pkpd::make_cohort(*data, told_already));
    typical.data = std::move(data);
    typical.population.size = std::min(study.population.size, most_subjects);
    typical.population.has_variability = false;
    typical.population.uncertainty = nullptr;
    typical.regimens.assign(1, {});
    typical.regimens[0].name = "data";
    typical.arms = {{"data", "", "data"}};
    typical.bound_outcomes.assign(1, {});
    typical.outcomes.clear();
    typical.saves.clear();
    typical.samples.clear();
    return typical;
}

/// Keeps what the model predicts for each observation's own output, subject by subject.
class PredictionSink : public sim::Sink {
public:
    explicit PredictionSink(const Study& study)
        : study_(study),
          outputs_(data_outputs(study)),
          predicted(study.population.size) {}

    void write(int, const sim::SubjectRange& range, const sim::BlockResult& result) override {
        for (std::uint64_t s = 0; s < range.count; ++s) {
            const auto& observations = study_.data->subjects[range.first + s].observations;
            std::vector<double>& values = predicted[range.first + s];
            values.assign(observations.size(), std::numeric_limits<double>::quiet_NaN());
            for (std::size_t i = 0; i < observations.size(); ++i) {
                const auto at = std::find(outputs_.begin(), outputs_.end(), observations[i].output);
                if (at == outputs_.end()) continue;
                const auto k = static_cast<std::size_t>(at - outputs_.begin());
                values[i] = result.own[k][result.own_first[s] + i];
            }
        }
    }

private:
    const Study& study_;
    std::vector<int> outputs_;

public:
    std::vector<std::vector<double>> predicted; ///< [n_subjects][n_observations]
};

} // namespace

void check_scales(const Study& study, sim::DiagnosticList& diagnostics) {
    if (study.data == nullptr || !pkpd::has_values(*study.data)) return;
    const Study typical = typical_subjects(study);
    const Engine engine = make_engine(typical);
    PredictionSink sink(typical);
    sim::RunRequest request = request_of(typical, engine, 1);
    request.inputs = [&](const sim::SubjectRange& range, std::span<double> inputs) {
        fill_inputs(typical, draw_cohort(typical, range), inputs);
    };
    sim::run(request, sink);
    for (const pkpd::DataScale& scale : pkpd::compare_scales(*typical.data, sink.predicted))
        if (scale.is_far()) pkpd::tell_far(scale, *typical.data, *typical.model, diagnostics);
}

} // namespace gemel::scenarios
