#include "summary.hpp"

#include <gemel/sim/parallel.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemel::scenarios {

namespace {

constexpr std::size_t n_named_failures = 5;

/// Which subjects a row is about; no grouping: all.
struct Selection {
    const Grouping* grouping = nullptr;
    std::size_t group = 0;

    bool has(std::size_t subject) const {
        return grouping == nullptr || grouping->of[subject] == group;
    }
};

std::vector<double> selected(const std::vector<double>& values, const Selection& selection) {
    std::vector<double> chosen;
    for (std::size_t s = 0; s < values.size(); ++s)
        if (selection.has(s) && !std::isnan(values[s])) chosen.push_back(values[s]);
    return chosen;
}

void add_statistics(std::vector<double> values, SummaryRow& row) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto n = static_cast<double>(values.size());
    row.mean.push_back(values.empty() ? nan : sim::ordered_sum(values) / n);
    std::sort(values.begin(), values.end());
    row.p05.push_back(values.empty() ? nan : quantile(values, 0.05));
    row.median.push_back(values.empty() ? nan : quantile(values, 0.5));
    row.p95.push_back(values.empty() ? nan : quantile(values, 0.95));
}

SummaryRow row_of(const Study& study,
                  const StudySink& results,
                  const std::vector<std::uint8_t>& is_solved,
                  std::size_t arm,
                  const Selection& selection) {
    SummaryRow row;
    row.arm = study.arms[arm].name;
    if (selection.grouping != nullptr) {
        row.grouping = selection.grouping->name;
        row.group = selection.grouping->groups[selection.group];
    }
    for (std::size_t s = 0; s < is_solved.size(); ++s)
        row.n_subjects += selection.has(s) && is_solved[s] != 0;
    for (std::size_t i = 0; i < study.outcomes.size(); ++i)
        add_statistics(selected(results.outcome(arm, i), selection), row);
    return row;
}

std::vector<std::uint8_t>
solved_subjects(const Study& study, const StudySink& results, std::size_t arm) {
    std::vector<std::uint8_t> solved(static_cast<std::size_t>(study.population.size), 1);
    for (const StudySink::Failure& failure : results.failures(arm))
        solved[static_cast<std::size_t>(failure.subject - 1)] = 0;
    return solved;
}

} // namespace

double quantile(std::span<const double> sorted, double p) {
    const double position = p * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double weight = position - static_cast<double>(below);
    return sorted[below] + weight * (sorted[above] - sorted[below]);
}

std::vector<SummaryRow>
summarise(const Study& study, const Cohort& cohort, const StudySink& results) {
    std::vector<SummaryRow> rows;
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
        const std::vector<std::uint8_t> solved = solved_subjects(study, results, arm);
        rows.push_back(row_of(study, results, solved, arm, {}));
        for (const Grouping& grouping : cohort.groupings)
            for (std::size_t group = 0; group < grouping.groups.size(); ++group) {
                SummaryRow row = row_of(study, results, solved, arm, {&grouping, group});
                if (row.n_subjects > 0) rows.push_back(std::move(row));
            }
    }
    return rows;
}

std::vector<std::string> describe_failures(const Study& study, const StudySink& results) {
    std::vector<std::string> lines;
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
        const auto failures = results.failures(arm);
        for (int code = 1; code < sim::n_solver_statuses; ++code) {
            const auto status = static_cast<sim::SolverStatus>(code);
            std::string subjects;
            std::size_t n = 0;
            for (const StudySink::Failure& failure : failures)
                if (failure.status == status && n++ < n_named_failures)
                    subjects += (subjects.empty() ? "" : ", ") + std::to_string(failure.subject);
            if (n > 0)
                lines.push_back(fmt::format("arm {}: {} {} (subject{} {}{})",
                                            study.arms[arm].name,
                                            grouped(n),
                                            sim::name(status),
                                            n == 1 ? "" : "s",
                                            subjects,
                                            n > n_named_failures ? ", …" : ""));
        }
    }
    return lines;
}

std::vector<std::string> describe_assumptions(const Study& study, const Cohort& cohort) {
    std::vector<std::string> lines;
    for (std::size_t m = 0; m < cohort.assumptions.size(); ++m) {
        const Assumption& counted = cohort.assumptions[m];
        const pkpd::GenotypeMap& map = study.model->maps[m];
        const std::uint64_t n = counted.not_in_table + counted.unknown_function;
        if (n == 0 || !map.otherwise) continue;
        lines.push_back(fmt::format(
            "{}: {} of {} subjects have a {} diplotype that its table does not name ({} with an "
            "allele of unknown function, whose activity is drawn). {}",
            map.name,
            grouped(n),
            grouped(study.population.size),
            map.gene,
            grouped(counted.unknown_function),
            map.otherwise->source));
    }
    return lines;
}

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
        digits.insert(static_cast<std::size_t>(i), ",");
    return digits;
}

} // namespace gemel::scenarios
