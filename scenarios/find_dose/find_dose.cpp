#include "elementary.hpp"
#include "endpoints/stratification.hpp"
#include "find_dose/dose_trial.hpp"
#include "summary.hpp"

#include <gemel/scenarios/text_table.hpp>
#include <gemel/sim/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace gemel::scenarios {

namespace {

/// Doses of the first look at a range, and doses put between two of them when looking closer.
constexpr int n_first_doses = 17;
constexpr int n_closer_doses = 7;

/// `n` factors strictly between two, evenly on the logarithm.
std::vector<double> between(double from, double to, int n) {
    std::vector<double> factors;
    const double step = logarithm(to / from) / (n + 1);
    for (int i = 1; i <= n; ++i)
        factors.push_back(from * exponential(i * step));
    return factors;
}

using Curve = std::vector<AttainmentPoint>;
using EndOfInterval = double Estimate::*;

/// The first dose at which a value of the estimate reaches the probability.
std::optional<std::size_t>
first_reaching(const Curve& curve, EndOfInterval end, double probability) {
    for (std::size_t i = 0; i < curve.size(); ++i)
        if (curve[i].attainment.*end >= probability) return i;
    return std::nullopt;
}

/// Where it reaches it between simulated doses: linear against the logarithm of the dose.
double dose_reaching(const Curve& curve, EndOfInterval end, double probability) {
    const auto at = first_reaching(curve, end, probability);
    if (!at) return std::numeric_limits<double>::quiet_NaN();
    const AttainmentPoint& above = curve[*at];
    if (*at == 0) return above.dose; // or less
    const AttainmentPoint& below = curve[*at - 1];
    const double low = below.attainment.*end, high = above.attainment.*end;
    if (!(low < high)) return above.dose; // nothing known below
    return below.dose *
           exponential((probability - low) / (high - low) * logarithm(above.dose / below.dose));
}

class Finder {
public:
    Finder(const Study& study, const FindDoseOptions& options, sim::Monitor* monitor)
        : study_(study),
          search_(*study.dose_search),
          trial_(study, options, monitor) {}

    DoseReport find() {
        DoseReport report;
        report.was_cancelled = !(is_any_dose() ? look_closer() : trial_.simulate(search_.among));
        report.solver = trial_.solver();
        report.n_solves = trial_.n_solves();
        report.n_failed = trial_.n_failed();
        report.n_fell_back = trial_.n_fell_back();
        report.n_failed_subjects = trial_.n_failed_subjects();
        if (report.was_cancelled) return report;
        const std::vector<std::string> strata = trial_.strata();
        for (std::size_t i = 0; i < strata.size(); ++i) {
            FoundDose of_stratum = found(strata[i], trial_.curve(i));
            if (strata[i] != undefined_stratum || has_subjects(of_stratum))
                report.found.push_back(std::move(of_stratum));
        }
        return report;
    }

private:
    bool is_any_dose() const { return search_.among.empty(); }

    /// The whole range first, then between the last dose that does not attain and the first that
    /// does, for every stratum, until they are as near as the tolerance.
    bool look_closer() {
        std::vector<double> next = between(search_.from, search_.to, n_first_doses - 2);
        next.insert(next.end(), {search_.from, search_.to});
        while (!next.empty()) {
            if (!trial_.simulate(next)) return false;
            next.clear();
            for (std::size_t i = 0; i < trial_.strata().size(); ++i) {
                const std::vector<double> closer = closer_doses(trial_.curve(i));
                next.insert(next.end(), closer.begin(), closer.end());
            }
        }
        return true;
    }

    std::vector<double> closer_doses(const Curve& curve) const {
        const auto at = first_reaching(curve, &Estimate::value, search_.probability);
        if (!at || *at == 0) return {};
        const double low = curve[*at - 1].dose, high = curve[*at].dose;
        if (high <= low * (1.0 + std::max(search_.tolerance, DoseSearch::finest_tolerance)))
            return {};
        std::vector<double> factors =
            between(low / search_.dose_at_one, high / search_.dose_at_one, n_closer_doses);
        return factors;
    }

    static bool has_subjects(const FoundDose& found) { return found.at.n + found.at.n_missing > 0; }

    FoundDose found(const std::string& stratum, Curve curve) const {
        FoundDose result;
        result.stratum = stratum;
        result.curve = std::move(curve);
        Curve points; // what there is a number for
        std::copy_if(result.curve.begin(),
                     result.curve.end(),
                     std::back_inserter(points),
                     [](const AttainmentPoint& point) { return point.n > 0; });
        if (points.empty()) {
            result.at = result.curve.front();
            result.notes.push_back(
                result.at.n_missing == 0
                    ? "no subject"
                    : fmt::format("none of {} subjects has a value", result.at.n_missing));
            return result;
        }
        const auto at = first_reaching(points, &Estimate::value, search_.probability);
        set_interval(points, result);
        if (!at) {
            result.at = *std::max_element(points.begin(), points.end(), is_attained_less);
            result.notes.push_back(fmt::format("no dose from {} to {} attains {}",
                                               dose_text(points.front().dose),
                                               dose_text(points.back().dose),
                                               percent_text(search_.probability)));
        } else {
            result.at = points[*at];
            result.dose = points[*at].dose;
            if (*at == 0) result.notes.emplace_back("the smallest dose attains it already");
            note_fall(points, *at, result);
        }
        if (result.at.n_missing > 0)
            result.notes.push_back(
                fmt::format("{} of {} subjects have no value and are not counted",
                            result.at.n_missing,
                            result.at.n_missing + result.at.n));
        return result;
    }

    static bool is_attained_less(const AttainmentPoint& a, const AttainmentPoint& b) {
        return a.attainment.value < b.attainment.value;
    }

    void set_interval(const Curve& curve, FoundDose& result) const {
        const double p = search_.probability;
        if (is_any_dose()) {
            if (first_reaching(curve, &Estimate::upper, p) != 0) // else below the range
                result.lower = dose_reaching(curve, &Estimate::upper, p);
            result.upper = dose_reaching(curve, &Estimate::lower, p);
            const double z = sim::normal_quantile(0.5 + 0.5 * search_.settings.level);
            result.mcse = (result.upper - result.lower) / (2.0 * z);
            return;
        }
        if (const auto at = first_reaching(curve, &Estimate::upper, p))
            result.lower = curve[*at].dose;
        if (const auto at = first_reaching(curve, &Estimate::lower, p))
            result.upper = curve[*at].dose;
    }

    /// Attainment that falls by more than chance (two standard errors) above the dose found.
    void note_fall(const Curve& curve, std::size_t from, FoundDose& result) const {
        const auto top = std::max_element(
            curve.begin() + static_cast<std::ptrdiff_t>(from), curve.end(), is_attained_less);
        const auto low = std::min_element(top, curve.end(), is_attained_less);
        const double fall = top->attainment.value - low->attainment.value;
        const double error = std::hypot(top->attainment.mcse, low->attainment.mcse);
        if (!(fall > 2.0 * error)) return;
        std::size_t last = from;
        while (last + 1 < curve.size() && curve[last + 1].attainment.value >= search_.probability)
            ++last;
        result.notes.push_back(fmt::format(
            "attainment falls with higher doses, from {} at {} to {} at {}; it is attained from {} "
            "to {}",
            percent_text(top->attainment.value),
            dose_text(top->dose),
            percent_text(low->attainment.value),
            dose_text(low->dose),
            dose_text(curve[from].dose),
            dose_text(curve[last].dose)));
    }

    std::string dose_text(double dose) const { return number_text(dose) + " " + search_.unit; }

    const Study& study_;
    const DoseSearch& search_;
    DoseTrial trial_;
};

std::string attainment_text(const Study& study, const DoseSearch& search) {
    std::string text;
    for (const std::size_t i : search.attainment)
        text += (text.empty() ? "" : " and ") + study.outcomes[i].name;
    return text;
}

std::string interval_text(double lower, double upper, std::string (*text)(double)) {
    return fmt::format("[{} – {}]", text(lower), text(upper));
}

} // namespace

DoseReport find_dose(const Study& study, const FindDoseOptions& options, sim::Monitor* monitor) {
    if (!study.dose_search) throw std::invalid_argument("find_dose: the study has no [find_dose]");
    return Finder(study, options, monitor).find();
}

std::string render(const DoseReport& report, const Study& study) {
    const DoseSearch& search = *study.dose_search;
    const std::string& by = study.stratifications[search.stratification].by;
    std::string text = fmt::format("smallest dose of arm {} with {} in at least {} of subjects\n",
                                   study.arms[search.arm].name,
                                   attainment_text(study, search),
                                   percent_text(search.probability));
    const std::string level = fmt::format("{:g} %", 100.0 * search.settings.level);
    const bool has_mcse = search.among.empty();
    std::vector<std::vector<std::string>> rows{
        {by.empty() ? "" : by, "dose [" + search.unit + "]", level}};
    if (has_mcse) rows[0].emplace_back("mcse");
    rows[0].insert(rows[0].end(), {"attainment", level, "n"});
    std::string notes;
    for (const FoundDose& found : report.found) {
        rows.push_back({found.stratum,
                        number_text(found.dose),
                        interval_text(found.lower, found.upper, number_text)});
        if (has_mcse) rows.back().push_back(number_text(found.mcse));
        rows.back().insert(
            rows.back().end(),
            {percent_text(found.at.attainment.value),
             interval_text(found.at.attainment.lower, found.at.attainment.upper, percent_text),
             fmt::format("{}", found.at.n)});
        for (const std::string& note : found.notes)
            notes += fmt::format("  {}: {}\n", found.stratum, note);
    }
    text += text_table(rows) + (notes.empty() ? "" : "\n" + notes);
    text += fmt::format(
        "\nsolver  {}, {} solves, {} failed", report.solver, report.n_solves, report.n_failed);
    if (report.n_fell_back > 0) text += fmt::format(", {} by cvode instead", report.n_fell_back);
    return text + "\n";
}

} // namespace gemel::scenarios
