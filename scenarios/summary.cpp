#include "summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace gemel::scenarios {

namespace {

constexpr std::size_t n_named_failures = 5;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

} // namespace

OutcomeSummary::OutcomeSummary(const Study& study)
    : study_(study),
      groupings_(groupings_of(study)) {
    selections_.push_back({});
    for (const Grouping& grouping : groupings_)
        for (std::size_t group = 0; group < grouping.groups.size(); ++group)
            selections_.push_back({grouping.name, grouping.groups[group], &grouping, group});
    const std::size_t n_cells = selections_.size() * study.outcomes.size();
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm)
        arms_.push_back(
            {CellStatistics(n_cells), std::vector<std::uint64_t>(selections_.size(), 0)});
}

void OutcomeSummary::add(const SolvedBlock& block) {
    Arm& arm = arms_[block.arm];
    const std::size_t n = block.n_subjects();
    const std::size_t n_outcomes = study_.outcomes.size();
    std::vector<double> values(selections_.size() * n_outcomes * n, nan);
    std::vector<std::uint64_t> n_solved(selections_.size(), 0);
    for (std::size_t k = 0; k < selections_.size(); ++k) {
        const Selection& selection = selections_[k];
        const auto codes = selection.splits != nullptr ? selection.splits->codes(block.cohort)
                                                       : std::span<const std::uint8_t>();
        for (std::size_t s = 0; s < n; ++s) {
            if (!codes.empty() && codes[s] != selection.code) continue;
            n_solved[k] += block.has_results(s);
            for (std::size_t i = 0; i < n_outcomes; ++i)
                values[(k * n_outcomes + i) * n + s] = block.outcome(i)[s];
        }
    }
    arm.statistics.add(block.cohort.range.first, {values.data(), n, 1, n, block.cohort.weight});
    const std::lock_guard lock(n_subjects_lock_);
    for (std::size_t k = 0; k < n_solved.size(); ++k)
        arm.n_subjects[k] += n_solved[k];
}

SummaryRow OutcomeSummary::row_of(std::size_t arm, std::size_t selection) const {
    SummaryRow row{study_.arms[arm].name,
                   selections_[selection].grouping,
                   selections_[selection].group,
                   arms_[arm].n_subjects[selection],
                   {},
                   {},
                   {},
                   {}};
    const std::vector<sim::Moments> moments = arms_[arm].statistics.moments();
    const std::size_t n_outcomes = study_.outcomes.size();
    for (std::size_t i = selection * n_outcomes; i < (selection + 1) * n_outcomes; ++i) {
        const sim::Counters& counters = arms_[arm].statistics.counters()[i];
        row.mean.push_back(moments[i].weight > 0.0 ? moments[i].mean : nan);
        row.p05.push_back(counters.quantile(0.05));
        row.median.push_back(counters.quantile(0.5));
        row.p95.push_back(counters.quantile(0.95));
    }
    return row;
}

std::vector<SummaryRow> OutcomeSummary::rows() const {
    std::vector<SummaryRow> rows;
    for (std::size_t arm = 0; arm < arms_.size(); ++arm)
        for (std::size_t k = 0; k < selections_.size(); ++k)
            if (k == 0 || arms_[arm].n_subjects[k] > 0) rows.push_back(row_of(arm, k));
    return rows;
}

std::vector<sim::Moments> OutcomeSummary::moments(std::size_t arm) const {
    std::vector<sim::Moments> moments = arms_[arm].statistics.moments();
    moments.resize(study_.outcomes.size()); // the first selection is all subjects
    return moments;
}

const sim::Counters& OutcomeSummary::counters(std::size_t arm, std::size_t outcome) const {
    return arms_[arm].statistics.counters()[outcome];
}

FailureSummary::FailureSummary(const Study& study) : study_(study), arms_(study.arms.size()) {}

void FailureSummary::add(const SolvedBlock& block) {
    Arm& arm = arms_[block.arm];
    for (std::size_t s = 0; s < block.n_subjects(); ++s) {
        const auto code = static_cast<std::size_t>(block.result.status[s]);
        ++arm.n[code];
        if (code == 0) continue;
        // Blocks come in any order: the smallest numbers are kept.
        std::vector<std::uint64_t>& first = arm.first[code];
        const std::uint64_t subject = block.cohort.range.first + s + 1;
        first.insert(std::upper_bound(first.begin(), first.end(), subject), subject);
        if (first.size() > n_named_failures) first.pop_back();
    }
}

std::vector<std::string> FailureSummary::lines() const {
    std::vector<std::string> lines;
    for (std::size_t arm = 0; arm < arms_.size(); ++arm)
        for (std::size_t code = 1; code < sim::n_solver_statuses; ++code) {
            const std::uint64_t n = arms_[arm].n[code];
            if (n == 0) continue;
            lines.push_back(fmt::format("arm {}: {} {} (subject{} {}{})",
                                        study_.arms[arm].name,
                                        grouped(n),
                                        sim::name(static_cast<sim::SolverStatus>(code)),
                                        n == 1 ? "" : "s",
                                        fmt::join(arms_[arm].first[code], ", "),
                                        n > n_named_failures ? ", …" : ""));
        }
    return lines;
}

/// Scores known from below, as of three and more copies of a gene.
std::string
describe_lower_bounds(const Study& study, const pkpd::GenotypeMap& map, std::uint64_t n) {
    return fmt::format("{}: {} of {} subjects have a {} score that is a lower bound, which the map "
                       "takes as it stands",
                       map.name,
                       grouped(n),
                       grouped(study.population.size),
                       map.gene);
}

std::vector<std::string> describe_assumptions(const Study& study,
                                              const std::vector<Assumption>& assumptions) {
    std::vector<std::string> lines;
    for (std::size_t m = 0; m < assumptions.size(); ++m) {
        const Assumption& counted = assumptions[m];
        const pkpd::GenotypeMap& map = study.model->maps[m];
        if (counted.lower_bound > 0)
            lines.push_back(describe_lower_bounds(study, map, counted.lower_bound));
        const std::uint64_t n = counted.not_in_table + counted.unknown_function;
        if (n == 0 || !map.otherwise) continue;
        const bool is_drawn = !map.otherwise->uncertain_activity.empty();
        lines.push_back(fmt::format(
            "{}: {} of {} subjects have a {} diplotype that its table does not name ({} with an "
            "allele of unknown function{}). {}",
            map.name,
            grouped(n),
            grouped(study.population.size),
            map.gene,
            grouped(counted.unknown_function),
            is_drawn ? ", whose activity is drawn" : "",
            map.otherwise->source));
    }
    return lines;
}

std::string bytes_text(double n) {
    const char* const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t i = 0;
    for (; n >= 1024.0 && i < 6; ++i)
        n /= 1024.0;
    return fmt::format("{:.{}f} {}", n, i == 0 ? 0 : 1, names[i]);
}

} // namespace gemel::scenarios
