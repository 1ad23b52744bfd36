#include "triangle.hpp"

#include <gemel/pkpd/residual.hpp>
#include <gemel/sim/expression.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::pkpd {
namespace {

double exponential(double x) {
    return sim::apply(sim::Op::exponential, x, 0.0, 0.0);
}

/// exp(−ln 2·|Δt|/half-time); without one, errors of different times are independent.
double correlation_in_time(double half_time, double between) {
    constexpr double log_2 = 0.69314718055994530942;
    if (between == 0.0) return 1.0;
    return half_time > 0.0 ? exponential(-log_2 * std::abs(between) / half_time) : 0.0;
}

} // namespace

double residual_sd(const ResidualError& error, double value) {
    const double size = std::abs(value);
    switch (error.law) {
    case ResidualError::Law::none:
        return 0.0;
    case ResidualError::Law::additive:
        return error.additive;
    case ResidualError::Law::proportional:
        return error.proportional * size;
    case ResidualError::Law::combined1:
        return error.additive + error.proportional * size;
    case ResidualError::Law::combined2:
        return std::sqrt(error.additive * error.additive +
                         error.proportional * size * error.proportional * size);
    case ResidualError::Law::power:
        return error.proportional * sim::apply(sim::Op::power, size, error.exponent, 0.0);
    case ResidualError::Law::lognormal:
        break;
    }
    return error.log_sd;
}

namespace {

std::vector<double> residual_sds(const ResidualError& error, std::span<const double> values) {
    std::vector<double> sds(values.begin(), values.end());
    if (error.law != ResidualError::Law::power) {
        for (double& sd : sds)
            sd = residual_sd(error, sd);
        return sds;
    }
    const std::vector<double> exponents(values.size(), error.exponent);
    sim::apply(sim::Op::absolute, sds, sds.data());
    sim::apply(sim::Op::power, sds, sds.data(), exponents.data());
    for (double& sd : sds)
        sd *= error.proportional;
    return sds;
}

} // namespace

void observe(const ResidualError& error, std::span<double> values, std::span<const double> scores) {
    std::vector<double> change = residual_sds(error, values);
    for (std::size_t i = 0; i < change.size(); ++i)
        change[i] *= scores[i];
    const bool is_factor = error.law == ResidualError::Law::lognormal;
    if (is_factor) sim::apply(sim::Op::exponential, change, change.data());
    for (std::size_t i = 0; i < change.size(); ++i)
        values[i] = is_factor ? values[i] * change[i] : values[i] + change[i];
}

int cens_of(Censoring censoring) {
    return censoring == Censoring::below_limit ? 1 : censoring == Censoring::above_limit ? -1 : 0;
}

Censoring censor(const QuantificationLimits& limits, double& observed) {
    if (observed < limits.lower) {
        observed = limits.lower;
        return Censoring::below_limit;
    }
    if (observed > limits.upper) {
        observed = limits.upper;
        return Censoring::above_limit;
    }
    return Censoring::quantified;
}

ResidualLaw::ResidualLaw(const Model& model,
                         std::vector<ResidualSample> samples,
                         const PopulationLaws* laws)
    : samples_(std::move(samples)),
      errors_(laws ? laws->residual_errors : model.residual_errors) {
    std::vector<std::uint32_t> counts(errors_.size(), 0);
    for (const ResidualSample& sample : samples_) {
        const auto output = static_cast<std::size_t>(sample.output);
        purposes_.push_back(sim::purpose_number("residual/" + model.system.outputs[output].name));
        indices_.push_back(counts[output]++);
    }
    std::vector<char> is_grouped(errors_.size(), 0);
    for (const ResidualCorrelation& correlated :
         laws ? laws->residual_correlations : model.residual_correlations) {
        for (int output : correlated.of)
            is_grouped[static_cast<std::size_t>(output)] = 1;
        add_group(correlated.of, correlated.correlation);
    }
    for (std::size_t output = 0; output < errors_.size(); ++output)
        if (is_grouped[output] == 0 && errors_[output].half_time > 0.0)
            add_group({static_cast<int>(output)}, {1.0});
}

/// Of two samples R[i][j]·ρ(Δt): all outputs of a group have one ρ, so this is a correlation, and
/// what an output's samples do to its later ones does not depend on the others.
void ResidualLaw::add_group(const std::vector<int>& outputs,
                            const std::vector<double>& correlation) {
    const auto place = [&](std::size_t sample) {
        const auto found = std::find(outputs.begin(), outputs.end(), samples_[sample].output);
        return static_cast<std::size_t>(found - outputs.begin());
    };
    Group group;
    for (std::size_t s = 0; s < samples_.size(); ++s)
        if (place(s) < outputs.size()) group.samples.push_back(s);
    std::sort(group.samples.begin(), group.samples.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(samples_[a].time, place(a)) < std::pair(samples_[b].time, place(b));
    });
    const std::size_t n = group.samples.size();
    const double half_time = errors_[static_cast<std::size_t>(outputs.front())].half_time;
    std::vector<double> all(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            const std::size_t a = group.samples[i], b = group.samples[j];
            all[i * n + j] = correlation[place(a) * outputs.size() + place(b)] *
                             correlation_in_time(half_time, samples_[a].time - samples_[b].time);
        }
    group.lower = cholesky(all, n);
    if (n > 0) groups_.push_back(std::move(group));
}

/// x = L·z of every group, from its last sample to its first: those before are still z.
void ResidualLaw::join(std::span<double> scores) const {
    const std::size_t n_subjects = scores.size() / std::max<std::size_t>(1, samples_.size());
    std::vector<double> joint(n_subjects);
    for (const Group& group : groups_) {
        const std::size_t n = group.samples.size();
        for (std::size_t i = n; i-- > 0;) {
            std::fill(joint.begin(), joint.end(), 0.0);
            for (std::size_t k = 0; k <= i; ++k)
                for (std::size_t s = 0; s < n_subjects; ++s)
                    joint[s] += group.lower[i * n + k] * scores[group.samples[k] * n_subjects + s];
            std::ranges::copy(joint, scores.subspan(group.samples[i] * n_subjects).begin());
        }
    }
}

std::vector<double> ResidualLaw::scores(const sim::RandomStream::Key& key) const {
    std::vector<double> scores;
    scores.reserve(samples_.size());
    for (std::size_t i = 0; i < samples_.size(); ++i)
        scores.push_back(sim::RandomStream(key, purposes_[i], indices_[i]).normal());
    join(scores);
    return scores;
}

std::vector<double> ResidualLaw::scores(const sim::RandomColumns& subjects) const {
    std::vector<double> scores(samples_.size() * subjects.size());
    for (std::size_t i = 0; i < samples_.size(); ++i)
        subjects.normals(purposes_[i], indices_[i], scores.data() + i * subjects.size());
    join(scores);
    return scores;
}

void ResidualLaw::observe(const sim::RandomStream::Key& key,
                          std::span<const double> values,
                          std::span<double> measured) const {
    std::ranges::copy(values, measured.begin());
    observe(scores(key), measured);
}

void ResidualLaw::observe(const sim::RandomColumns& subjects, std::span<double> values) const {
    observe(scores(subjects), values);
}

void ResidualLaw::observe(std::span<const double> scores, std::span<double> values) const {
    const std::size_t n_subjects = values.size() / std::max<std::size_t>(1, samples_.size());
    for (std::size_t i = 0; i < samples_.size(); ++i)
        pkpd::observe(errors_[static_cast<std::size_t>(samples_[i].output)],
                      values.subspan(i * n_subjects, n_subjects),
                      scores.subspan(i * n_subjects, n_subjects));
}

} // namespace gemel::pkpd
