#include "find_dose/dose_trial.hpp"

#include "endpoints/endpoint_recorder.hpp"
#include "engine.hpp"
#include "policies/policy_doses.hpp"
#include "solved_block.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>

namespace gemel::scenarios {

namespace {

/// Arms solved side by side; more only take memory.
constexpr std::size_t max_arms = 16;

/// Draws blocks, keeps them until their last arm, and records attainment: 1 where all outcomes
/// hold, 0 where any does not, missing where any is missing.
class AttainmentSink : public sim::Sink {
public:
    /// @param has_failed  [size of the population], marked where a solve fails
    AttainmentSink(const Study& study, std::vector<bool>& has_failed)
        : study_(study),
          recorder_(study),
          has_failed_(has_failed) {}

    void draw(const sim::SubjectRange& range, std::span<double> inputs) {
        pkpd::CohortBlock cohort = draw_cohort(study_, range);
        fill_inputs(study_, cohort, inputs);
        const std::lock_guard lock(mutex_);
        cohorts_.insert_or_assign(range.first, std::move(cohort));
    }

    void write(int arm, const sim::SubjectRange& range, const sim::BlockResult& result) override {
        const auto index = static_cast<std::size_t>(arm);
        const std::vector<double> all = outcomes_of(study_, index, result);
        const auto count = static_cast<std::size_t>(range.count);
        std::vector<double> attains(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
        for (std::size_t i = count; i < all.size(); ++i)
            attains[i % count] *= all[i]; // 1 and 0; NaN stays
        const std::lock_guard lock(mutex_);
        recorder_.add({index, cohorts_.at(range.first), result, attains});
        for (std::size_t s = 0; s < count; ++s)
            if (result.status[s] != sim::SolverStatus::ok) has_failed_[range.first + s] = true;
        if (index + 1 == study_.arms.size()) cohorts_.erase(range.first);
    }

    const EndpointRecorder& recorder() const { return recorder_; }

private:
    const Study& study_;
    EndpointRecorder recorder_;
    std::vector<bool>& has_failed_;
    std::mutex mutex_;
    std::map<std::uint64_t, pkpd::CohortBlock> cohorts_;
};

pkpd::Regimen scaled(pkpd::Regimen regimen, double factor, const std::string& name) {
    regimen.name = name;
    for (sim::Record& record : regimen.records) {
        if (!pkpd::is_dose(record)) continue;
        record.amount *= factor;
        if (record.rate > 0.0) record.rate *= factor; // as long as before
    }
    return regimen;
}

Endpoint attainment_by(std::size_t stratification, const DoseSearch& search) {
    Endpoint endpoint;
    endpoint.name = "attainment";
    endpoint.function = find_endpoint_function("proportion");
    endpoint.settings = search.settings;
    endpoint.stratification = stratification;
    return endpoint;
}

} // namespace

DoseTrial::DoseTrial(const Study& study, const FindDoseOptions& options, sim::Monitor* monitor)
    : study_(study),
      search_(*study.dose_search),
      options_(options),
      monitor_(monitor),
      has_failed_(study.population.size, false) {}

Study DoseTrial::variant(const std::vector<double>& factors) const {
    Study variant = study_;
    variant.saves.clear();
    variant.endpoints = {attainment_by(0, search_)};
    if (search_.stratification != 0)
        variant.endpoints.push_back(attainment_by(search_.stratification, search_));
    variant.outcomes.clear();
    variant.outcome_thresholds.clear();
    variant.outcome_units.clear();
    std::vector<BoundOutcome> bound;
    for (const std::size_t i : search_.attainment) {
        variant.outcomes.push_back(study_.outcomes[i]);
        variant.outcome_thresholds.push_back(study_.outcome_thresholds[i]);
        variant.outcome_units.push_back(study_.outcome_units[i]);
        bound.push_back(study_.bound_outcomes[search_.arm][i]);
    }
    const pkpd::Regimen& regimen = regimen_of(study_, study_.arms[search_.arm]);
    variant.arms.clear();
    variant.regimens.clear();
    for (std::size_t i = 0; i < factors.size(); ++i) {
        const std::string name = "dose_" + std::to_string(i);
        variant.arms.push_back({name, "", name});
        variant.regimens.push_back(scaled(regimen, factors[i], name));
    }
    variant.bound_outcomes.assign(factors.size(), bound);
    return variant;
}

bool DoseTrial::simulate(std::vector<double> factors) {
    std::sort(factors.begin(), factors.end());
    factors.erase(std::unique(factors.begin(), factors.end()), factors.end());
    std::erase_if(factors, [&](double factor) { return points_.count(factor) != 0; });
    for (std::size_t first = 0; first < factors.size(); first += max_arms) {
        const auto begin = factors.begin() + static_cast<std::ptrdiff_t>(first);
        const std::size_t n = std::min(max_arms, factors.size() - first);
        if (!simulate_some({begin, begin + static_cast<std::ptrdiff_t>(n)})) return false;
    }
    return true;
}

bool DoseTrial::simulate_some(const std::vector<double>& factors) {
    const Study study = variant(factors);
    const Engine engine = make_engine(study, options_.execution);
    AttainmentSink sink(study, has_failed_);
    sim::RunRequest request = request_of(study, engine, options_.n_threads);
    request.inputs = [&sink](const sim::SubjectRange& range, std::span<double> inputs) {
        sink.draw(range, inputs);
    };
    const sim::RunReport report = sim::run(request, sink, monitor_);
    if (report.was_cancelled) return false;
    n_solves_ += report.n_solves;
    n_failed_ += scenarios::n_failed(report);
    n_fell_back_ += report.n_fell_back;
    for (const sim::SolverChoice& choice : engine.choices)
        solvers_.emplace(choice.solver->name);
    for (std::size_t e = 0; e < study.endpoints.size(); ++e) {
        const Endpoint& endpoint = study.endpoints[e];
        const std::vector<Sample> samples = sink.recorder().samples(e);
        const std::size_t strata = samples.size() / factors.size();
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const double factor = factors[i / strata];
            points_[factor].push_back({factor * search_.dose_at_one,
                                       endpoint.function->estimate(samples[i], endpoint.settings),
                                       samples[i].n,
                                       samples[i].n_missing});
        }
    }
    return true;
}

std::vector<AttainmentPoint> DoseTrial::curve(std::size_t stratum) const {
    std::vector<AttainmentPoint> curve;
    for (const auto& [factor, strata] : points_)
        curve.push_back(strata[stratum]);
    return curve;
}

std::uint64_t DoseTrial::n_failed_subjects() const {
    return static_cast<std::uint64_t>(std::count(has_failed_.begin(), has_failed_.end(), true));
}

std::string DoseTrial::solver() const {
    return fmt::format("{}", fmt::join(solvers_, " and "));
}

std::vector<std::string> DoseTrial::strata() const {
    std::vector<std::string> names{"all"};
    if (search_.stratification != 0)
        for (const std::string& stratum : study_.stratifications[search_.stratification].strata)
            names.push_back(stratum);
    return names;
}

} // namespace gemel::scenarios
