#include "engine.hpp"
#include "summary.hpp"

#include <gemel/scenarios/run_study.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

std::string cell(const SummaryRow& row, const Outcome& outcome, std::size_t i) {
    if (!outcome.comparison.empty()) return percent_text(row.mean[i]);
    return fmt::format("{}  {} [{}–{}]",
                       number_text(row.mean[i]),
                       number_text(row.median[i]),
                       number_text(row.p05[i]),
                       number_text(row.p95[i]));
}

std::vector<std::string> heading(const StudyReport& report, const Study& study, const Arm& arm) {
    std::vector<std::string> cells{"arm " + arm.name + (arm.label.empty() ? "" : ": " + arm.label),
                                   "n"};
    for (std::size_t i = 0; i < study.outcomes.size(); ++i)
        cells.push_back(
            report.outcome_units[i] == "1"
                ? study.outcomes[i].name
                : fmt::format("{} [{}]", study.outcomes[i].name, report.outcome_units[i]));
    return cells;
}

std::vector<std::vector<std::string>>
arm_rows(const StudyReport& report, const Study& study, const Arm& arm) {
    std::vector<std::vector<std::string>> rows{heading(report, study, arm)};
    for (const SummaryRow& row : report.summary) {
        if (row.arm != arm.name) continue;
        std::vector<std::string> cells{
            row.grouping.empty() ? "  all" : fmt::format("  {}: {}", row.grouping, row.group),
            grouped(row.n_subjects)};
        for (std::size_t i = 0; i < study.outcomes.size(); ++i)
            cells.push_back(cell(row, study.outcomes[i], i));
        rows.push_back(std::move(cells));
    }
    return rows;
}

std::string failures_text(const StudyReport& report, const Study& study) {
    if (report.n_failed == 0) return {};
    std::string text = fmt::format("{} of {} subjects failed ({} of {} solves); their values are "
                                   "missing\n",
                                   grouped(report.n_failed_subjects),
                                   grouped(n_solves(study) / study.arms.size()),
                                   grouped(report.n_failed),
                                   grouped(report.run.n_solves));
    for (const std::string& line : report.failures)
        text += "  " + line + "\n";
    return text + "\n";
}

std::string assumptions_and_policies_text(const StudyReport& report) {
    std::string text;
    for (const std::string& line : report.assumptions)
        text += "assumed: " + line + "\n";
    for (const std::string& line : report.policies)
        text += "policy " + line + "\n";
    return text.empty() ? text : text + "\n";
}

std::string legend(const Study& study) {
    const bool has_numbers = std::any_of(study.outcomes.begin(),
                                         study.outcomes.end(),
                                         [](const Outcome& o) { return o.comparison.empty(); });
    const std::string which = study.n_replicates == 0 ? ""
                                                      : fmt::format("first of {} replicates",
                                                                    grouped(study.n_replicates));
    if (!has_numbers) return which.empty() ? which : which + "\n";
    return "mean  median [5–95 %] of subjects" + (which.empty() ? "" : ", " + which) + "\n";
}

std::string arms_text(const StudyReport& report, const Study& study) {
    if (study.outcomes.empty()) return {};
    std::string text = legend(study);
    for (const Arm& arm : study.arms)
        text += text_table(arm_rows(report, study, arm)) + "\n";
    return text;
}

} // namespace

std::string render(const StudyReport& report, const Study& study) {
    std::string text = failures_text(report, study) + assumptions_and_policies_text(report) +
                       arms_text(report, study);
    for (const std::string& line : report.endpoints)
        text += line + "\n";
    if (!report.endpoints.empty()) text += "\n";
    text += fmt::format("solver  {} ({})\n", report.solver, report.solver_why);
    if (report.run.n_fell_back > 0)
        text += fmt::format("        {} of {} solves by cvode instead: {} gave up "
                            "(/diagnostics/fell_back)\n",
                            grouped(report.run.n_fell_back),
                            grouped(report.run.n_solves),
                            report.solver);
    for (const std::string& line : report.written)
        text += "file    " + line + "\n";
    text += fmt::format("size    {}\n", bytes_text(static_cast<double>(report.file_bytes)));
    return text + fmt::format("results_sha256  {}\n", report.results_sha256);
}

} // namespace gemel::scenarios
