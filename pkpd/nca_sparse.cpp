#include <gemel/pkpd/nca.hpp>
#include <gemel/sim/distributions.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

namespace gemel::pkpd {

namespace {

/// All that was measured at one time.
struct TimeGroup {
    double time = 0.0;
    std::map<std::string, double> of; ///< subject → concentration
    double mean = 0.0;                ///< of all samples
    double variance = NcaResult::not_known;
    bool is_zero = false; ///< more than half of the samples are 0

    double n() const { return static_cast<double>(of.size()); }
};

std::vector<TimeGroup> groups_of(const std::vector<SparseSample>& samples) {
    std::map<double, TimeGroup> by_time;
    for (const SparseSample& sample : samples) {
        TimeGroup& group = by_time[sample.time];
        group.time = sample.time;
        if (!group.of.emplace(sample.subject, sample.concentration).second)
            throw std::invalid_argument("sparse sampling: subject " + sample.subject +
                                        " has two concentrations at one time");
    }
    std::vector<TimeGroup> groups;
    for (auto& [time, group] : by_time)
        groups.push_back(std::move(group));
    return groups;
}

void describe(TimeGroup& group) {
    double sum = 0.0, n_zero = 0.0, squares = 0.0;
    for (const auto& [subject, value] : group.of) {
        sum += value;
        n_zero += value == 0.0 ? 1.0 : 0.0;
    }
    group.mean = sum / group.n();
    group.is_zero = n_zero > 0.5 * group.n();
    for (const auto& [subject, value] : group.of)
        squares += (value - group.mean) * (value - group.mean);
    if (group.of.size() > 1) group.variance = squares / (group.n() - 1.0);
}

/// Holder (2001), eq. A3, kept within what a correlation can be; 0 without two common subjects.
double covariance(const TimeGroup& a, const TimeGroup& b) {
    double n_both = 0.0, sum = 0.0;
    for (const auto& [subject, value] : a.of) {
        const auto other = b.of.find(subject);
        if (other == b.of.end()) continue;
        n_both += 1.0;
        sum += (value - a.mean) * (other->second - b.mean);
    }
    if (n_both < 2.0) return 0.0;
    const double divisor = n_both - 1.0 + (1.0 - n_both / a.n()) * (1.0 - n_both / b.n());
    const double most = std::sqrt(a.variance * b.variance);
    return std::clamp(sum / divisor, -most, most);
}

double n_common(const TimeGroup& a, const TimeGroup& b) {
    return static_cast<double>(std::count_if(
        a.of.begin(), a.of.end(), [&](const auto& sample) { return b.of.contains(sample.first); }));
}

/// Weights of the linear rule on the groups' times.
std::vector<double> weights_of(std::span<const TimeGroup> groups) {
    std::vector<double> weights(groups.size(), 0.0);
    for (std::size_t i = 0; i + 1 < groups.size(); ++i) {
        const double half = 0.5 * (groups[i + 1].time - groups[i].time);
        weights[i] += half;
        weights[i + 1] += half;
    }
    return weights;
}

/// Nedelman and Jia (1998), eq. 7: Σ wᵢ²sᵢ²/rᵢ + 2 Σ wᵢwⱼ rᵢⱼ sᵢⱼ/(rᵢ rⱼ).
double variance_of(std::span<const TimeGroup> groups, std::span<const double> weights) {
    double sum = 0.0;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        sum += weights[i] * weights[i] * groups[i].variance / groups[i].n();
        for (std::size_t j = 0; j < i; ++j)
            sum += 2.0 * weights[i] * weights[j] * n_common(groups[i], groups[j]) *
                   covariance(groups[i], groups[j]) / (groups[i].n() * groups[j].n());
    }
    return sum;
}

/// Satterthwaite's, where each time belongs to one batch of subjects: a batch's part of the area is
/// a mean of independent sums Σ wᵢxᵢ, with n − 1 degrees. NaN where batches overlap.
double degrees_of(std::span<const TimeGroup> groups, std::span<const double> weights) {
    std::map<std::string, std::vector<std::size_t>> times_of;
    for (std::size_t i = 0; i < groups.size(); ++i)
        for (const auto& [subject, value] : groups[i].of)
            times_of[subject].push_back(i);
    std::map<std::vector<std::size_t>, std::vector<double>> batches;
    std::set<std::size_t> taken;
    for (const auto& [subject, times] : times_of) {
        double part = 0.0;
        for (const std::size_t i : times)
            part += weights[i] * groups[i].of.at(subject);
        batches[times].push_back(part);
    }
    double sum = 0.0, spread = 0.0;
    for (const auto& [times, parts] : batches) {
        for (const std::size_t i : times)
            if (!taken.insert(i).second) return NcaResult::not_known;
        const double n = static_cast<double>(parts.size());
        double mean = 0.0, squares = 0.0;
        for (const double part : parts)
            mean += part / n;
        for (const double part : parts)
            squares += (part - mean) * (part - mean);
        const double variance = squares / (n - 1.0) / n;
        sum += variance;
        spread += variance * variance / (n - 1.0);
    }
    return sum * sum / spread;
}

} // namespace

SparseArea sparse_area(std::vector<SparseSample> samples) {
    std::erase_if(samples, [](const SparseSample& s) { return std::isnan(s.concentration); });
    std::vector<TimeGroup> groups = groups_of(samples);
    SparseArea result;
    std::set<std::string> subjects;
    for (const SparseSample& sample : samples)
        subjects.insert(sample.subject);
    result.n_subjects = subjects.size();
    for (TimeGroup& group : groups)
        describe(group);
    const auto is_positive = [](const TimeGroup& group) {
        return !group.is_zero && group.mean > 0;
    };
    const auto last = std::find_if(groups.rbegin(), groups.rend(), is_positive);
    groups.erase(last.base(), groups.end());
    result.n_times = groups.size();
    if (groups.size() < 2) return result;
    const std::vector<double> weights = weights_of(groups);
    result.auclast = 0.0;
    for (std::size_t i = 0; i < groups.size(); ++i)
        result.auclast += groups[i].is_zero ? 0.0 : weights[i] * groups[i].mean;
    result.standard_error = std::sqrt(variance_of(groups, weights));
    result.degrees = degrees_of(groups, weights);
    if (!(result.degrees > 0.0) || std::isinf(result.degrees)) return result;
    const double reach = sim::student_quantile(result.degrees, 0.975) * result.standard_error;
    result.lower = result.auclast - reach;
    result.upper = result.auclast + reach;
    return result;
}

} // namespace gemel::pkpd
