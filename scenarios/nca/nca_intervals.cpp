#include "nca/nca_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

using pkpd::NcaProfile;
using pkpd::NcaResult;
using pkpd::NcaRoute;

/// The doses as the request has them: its dose in place of the file's.
std::vector<ProfileDose> doses_of(const SubjectProfile& subject, const NcaSettings& settings) {
    std::vector<ProfileDose> doses = subject.doses;
    if (doses.empty()) doses.emplace_back();
    for (ProfileDose& dose : doses) {
        if (!std::isnan(settings.dose)) dose.amount = settings.dose;
        if (!std::isnan(settings.duration)) dose.duration = settings.duration;
    }
    if (subject.doses.empty() && !std::isnan(settings.dose_time))
        doses[0].time = settings.dose_time;
    return doses;
}

/// To the next dose, or as long as from the one before; NaN after a single dose.
double tau_of(const std::vector<ProfileDose>& doses, std::size_t k, const NcaSettings& settings) {
    if (!std::isnan(settings.tau)) return settings.tau;
    if (!std::isnan(doses[k].tau)) return doses[k].tau;
    if (k + 1 < doses.size()) return doses[k + 1].time - doses[k].time;
    return k > 0 ? doses[k].time - doses[k - 1].time : NcaResult::not_known;
}

class IntervalMaker {
public:
    IntervalMaker(const SubjectProfile& subject,
                  const NcaRequest& request,
                  const NcaSettings& settings)
        : subject_(subject),
          request_(request),
          settings_(settings),
          doses_(doses_of(subject, settings)) {}

    std::size_t n() const { return doses_.size(); }
    double dose_time(std::size_t k) const { return doses_[k].time; }
    /// As the file says.
    bool is_steady(std::size_t k) const { return doses_[k].is_steady; }
    double tau(std::size_t k) const { return tau_of(doses_, k, settings_); }

    /// @param before  the interval before it; none for the first
    NcaResult analyse(std::size_t k, const NcaResult* before) const {
        NcaProfile profile = points_of(k);
        profile.route = route();
        profile.dose = doses_[k].amount;
        profile.duration = profile.route == NcaRoute::infusion ? doses_[k].duration : 0.0;
        profile.tau = tau(k);
        profile.is_steady = doses_[k].is_steady || (request_.is_steady && k + 1 == doses_.size());
        profile.follows_doses = k > 0;
        if (before != nullptr && (!doses_[k].is_steady || doses_[k - 1].is_steady))
            profile.before = value_at(before->curve, doses_[k].time - doses_[k - 1].time);
        NcaResult result = pkpd::analyse(profile, settings_.analysis);
        result.notes.insert(result.notes.begin(), subject_.notes.begin(), subject_.notes.end());
        return result;
    }

private:
    /// Sources let only files of infusions go without a route.
    NcaRoute route() const { return settings_.route.value_or(NcaRoute::infusion); }

    bool has_twin(std::size_t i) const {
        const std::vector<double>& time = subject_.time;
        return (i > 0 && time[i - 1] == time[i]) || (i + 1 < time.size() && time[i + 1] == time[i]);
    }

    /// A sample at the very time of a dose: by a bolus, or where there are two, it is before or
    /// after it as it stands in the file; else the curve has no jump, and it belongs to both
    /// intervals.
    bool is_in(std::size_t i, std::size_t k) const {
        const double time = subject_.time[i];
        const bool is_last = k + 1 == doses_.size();
        if (!subject_.doses.empty() && (route() == NcaRoute::bolus || has_twin(i)))
            return subject_.n_doses_before[i] == k + 1;
        return time >= doses_[k].time && (is_last || time <= doses_[k + 1].time);
    }

    pkpd::SlopePoint slope_of(std::size_t i, double since) const {
        for (const double time : settings_.slope_without)
            if (since == time) return pkpd::SlopePoint::leave_out;
        if (settings_.slope_window)
            return since >= settings_.slope_window->from && since <= settings_.slope_window->to
                       ? pkpd::SlopePoint::use
                       : pkpd::SlopePoint::leave_out;
        return subject_.slope.empty() ? pkpd::SlopePoint::automatic : subject_.slope[i];
    }

    NcaProfile points_of(std::size_t k) const {
        NcaProfile profile;
        for (std::size_t i = 0; i < subject_.time.size(); ++i) {
            if (!is_in(i, k)) continue;
            const double since = subject_.time[i] - doses_[k].time;
            const double value = subject_.concentration[i];
            profile.time.push_back(since);
            profile.concentration.push_back(value);
            profile.is_blq.push_back(subject_.is_blq[i] != 0 || value == 0.0 ||
                                     value < settings_.lloq);
            profile.slope.push_back(slope_of(i, since));
        }
        return profile;
    }

    const SubjectProfile& subject_;
    const NcaRequest& request_;
    const NcaSettings& settings_;
    std::vector<ProfileDose> doses_;
};

/// The first dose and the one before the last tell what the last one starts from and adds to.
std::vector<std::size_t> needed(std::size_t n, const NcaRequest& request) {
    std::vector<std::size_t> doses{0};
    if (request.intervals == NcaIntervals::first) return doses;
    for (std::size_t k = 1; k < n; ++k)
        if (request.intervals == NcaIntervals::all || k + 2 >= n) doses.push_back(k);
    return doses;
}

bool is_wanted(std::size_t k, std::size_t n, const NcaRequest& request) {
    return request.intervals == NcaIntervals::all ||
           k == (request.intervals == NcaIntervals::first ? 0 : n - 1);
}

} // namespace

std::vector<AnalysedInterval> analyse_subject(const SubjectProfile& subject,
                                              const NcaRequest& request,
                                              const NcaSettings& settings) {
    const IntervalMaker maker(subject, request, settings);
    std::vector<AnalysedInterval> all, wanted;
    for (const std::size_t k : needed(maker.n(), request)) {
        const bool follows = !all.empty() && all.back().dose + 1 == k;
        all.push_back(
            {k, maker.dose_time(k), maker.analyse(k, follows ? &all.back().result : nullptr)});
        if (k > 0 && maker.tau(k) == maker.tau(0) && !maker.is_steady(0))
            compare_with_first(all.back().result, all.front().result);
    }
    for (AnalysedInterval& interval : all)
        if (is_wanted(interval.dose, maker.n(), request)) wanted.push_back(std::move(interval));
    return wanted;
}

} // namespace gemel::scenarios
