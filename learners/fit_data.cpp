#include "fit_data.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace gemel::learners {
namespace {

using SourceKind = pkpd::InputSource::Kind;

std::size_t index_of(const std::vector<std::size_t>& list, std::size_t what) {
    return static_cast<std::size_t>(std::ranges::find(list, what) - list.begin());
}

bool varies(const std::optional<pkpd::Variability>& effect) {
    return effect && effect->spread() > 0.0;
}

/// Of the last measurement.
void take_logarithms(FitSubject& subject) {
    Measurement& measured = subject.measured.back();
    measured.value = std::log(measured.value);
    measured.limit = std::log(measured.limit);
    measured.other_limit = std::log(measured.other_limit);
    if (measured.censoring == 0) subject.sum_log_values += measured.value;
}

} // namespace

bool is_used(const FitSetup& setup, const pkpd::DataObservation& observation) {
    const bool is_fitted =
        setup.outputs.empty() || std::ranges::count(setup.outputs, observation.output) > 0;
    return is_fitted && observation.evid == 0 && observation.output >= 0 &&
           (observation.cens != 0 || (!observation.is_missing && std::isfinite(observation.dv)));
}

FitData::FitData(const FitSetup& setup) : setup_(setup) {
    timeline.start = std::min(0.0, setup.data->first_time);
    timeline.end = std::max(setup.data->last_time, timeline.start + 1e-9);
    timeline.pending = setup.pending;
    find_effects();
    std::set<int> measured;
    for (const pkpd::DataSubject& subject : setup.data->subjects)
        for (const pkpd::DataObservation& observation : subject.observations)
            if (is_used(setup, observation)) measured.insert(observation.output);
    outputs.assign(measured.begin(), measured.end());
    for (const int output : outputs)
        is_logarithmic.push_back(model().residual_errors[static_cast<std::size_t>(output)].law ==
                                 pkpd::ResidualError::Law::lognormal);
    for (std::size_t s = 0; s < setup.data->subjects.size(); ++s)
        add_subject(s);
    place_inputs();
    fill_base();
}

/// Only effects that vary: an sd of 0 is no effect.
void FitData::find_effects() {
    for (std::size_t p = 0; p < n_parameters(); ++p) {
        if (varies(model().parameters[p].iiv)) eta_parameters.push_back(p);
        if (varies(model().parameters[p].iov)) kappa_parameters.push_back(p);
        const pkpd::Variability* law = model().parameters[p].law();
        const bool has_unit = law != nullptr && law->law == pkpd::VariabilityLaw::normal;
        effect_scale.push_back(
            has_unit ? std::max(std::abs(model().parameters[p].value), law->spread()) : 1.0);
    }
}

void FitData::add_subject(std::size_t index) {
    const pkpd::DataCohort& cohort = *setup_.population.data;
    const pkpd::DataSubject& of_data = setup_.data->subjects[index];
    FitSubject& subject = subjects.emplace_back();
    subject.timeline = &cohort.timelines[index];
    subject.first_row = cohort.first_row[index];
    subject.n_rows = cohort.n_rows_of(index);
    subject.key = cohort.keys[index];
    for (std::size_t row = 0; row < subject.n_rows; ++row)
        subject.occasions.push_back(cohort.occasion_of(subject.first_row + row));
    subject.n_occasions = 1 + *std::ranges::max_element(subject.occasions);
    subject.n_effects = n_eta() + (kappa_parameters.empty() ? 0 : subject.n_occasions * n_kappa());
    max_effects = std::max(max_effects, subject.n_effects);
    for (std::size_t k = 0; k < cohort.observations[index].size(); ++k) {
        const std::size_t number = cohort.observations[index][k];
        const pkpd::DataObservation& observation = of_data.observations[number];
        if (!is_used(setup_, observation)) continue;
        const auto place = std::ranges::find(outputs, observation.output) - outputs.begin();
        subject.measured.push_back({observation.output,
                                    static_cast<std::size_t>(place),
                                    k,
                                    number,
                                    observation.time,
                                    observation.dv,
                                    observation.cens,
                                    observation.limit,
                                    observation.other_limit});
        n_censored += observation.cens != 0 ? 1 : 0;
        if (is_logarithmic[static_cast<std::size_t>(place)] != 0) take_logarithms(subject);
    }
    n_measured += subject.measured.size();
    max_measured = std::max(max_measured, subject.measured.size());
}

void FitData::place_inputs() {
    for (const pkpd::InputSource& source : model().inputs) {
        const auto parameter = static_cast<std::size_t>(source.index);
        InputPlace& place = inputs.emplace_back();
        if (source.kind == SourceKind::theta) place = {InputPlace::Kind::theta, parameter};
        const auto join = [&](InputPlace::Kind kind, const std::vector<std::size_t>& list) {
            const std::size_t which = index_of(list, parameter);
            if (which < list.size()) place = {kind, which};
        };
        if (source.kind == SourceKind::eta) join(InputPlace::Kind::eta, eta_parameters);
        if (source.kind == SourceKind::iov) join(InputPlace::Kind::kappa, kappa_parameters);
    }
    const std::size_t n_linear = setup_.population.data->linear.size();
    if (n_linear > 0) inputs.resize(inputs.size() + n_linear + 1); // slopes, start of the row
}

void FitData::fill_base() {
    const pkpd::DataCohort& cohort = *setup_.population.data;
    const std::size_t n_rows = cohort.n_rows();
    std::vector<double> columns = setup_.population.draw_rows({0, 0, cohort.size()});
    columns.insert(columns.end(), cohort.slopes.begin(), cohort.slopes.end());
    if (!cohort.linear.empty())
        columns.insert(columns.end(), cohort.starts.begin(), cohort.starts.end());
    base.resize(columns.size());
    for (std::size_t i = 0; i < n_inputs(); ++i)
        for (std::size_t row = 0; row < n_rows; ++row)
            base[row * n_inputs() + i] = columns[i * n_rows + row];
}

sim::OdeSystem FitData::system() const {
    std::vector<int> linear;
    for (const std::size_t covariate : setup_.population.data->linear)
        for (std::size_t i = 0; i < model().inputs.size(); ++i)
            if (model().inputs[i].kind == SourceKind::covariate &&
                model().inputs[i].index == static_cast<int>(covariate))
                linear.push_back(static_cast<int>(i));
    if (linear.empty()) return model().system;
    return sim::with_linear_inputs(model().system, linear);
}

} // namespace gemel::learners
