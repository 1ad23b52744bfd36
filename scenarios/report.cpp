#include "summary.hpp"

#include <gemel/scenarios/run_study.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::scenarios {

namespace {

/// Width on a terminal: code points, which is columns for all text that can stand here.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t columns) {
    return text + std::string(columns > width(text) ? columns - width(text) : 0, ' ');
}

std::string aligned_right(const std::string& text, std::size_t columns) {
    return std::string(columns > width(text) ? columns - width(text) : 0, ' ') + text;
}

/// Rows of cells as text: the first column to the left, all others to the right.
std::string table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths.resize(std::max(widths.size(), row.size()));
            widths[i] = std::max(widths[i], width(row[i]));
        }
    std::string text;
    for (const auto& row : rows) {
        std::string line = "  ";
        for (std::size_t i = 0; i < row.size(); ++i)
            line += i == 0 ? padded(row[i], widths[i]) : "   " + aligned_right(row[i], widths[i]);
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string number(double value) {
    if (std::isnan(value)) return "–";
    return std::abs(value) >= 1000.0 && std::abs(value) < 1e7 ? fmt::format("{:.0f}", value)
                                                              : fmt::format("{:.3g}", value);
}

std::string cell(const SummaryRow& row, const Outcome& outcome, std::size_t i) {
    if (!outcome.comparison.empty())
        return std::isnan(row.mean[i]) ? "–" : fmt::format("{:.1f} %", 100.0 * row.mean[i]);
    return fmt::format("{}  {} [{}–{}]",
                       number(row.mean[i]),
                       number(row.median[i]),
                       number(row.p05[i]),
                       number(row.p95[i]));
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
                                   grouped(study.population.size),
                                   grouped(report.n_failed),
                                   grouped(report.run.n_solves));
    for (const std::string& line : report.failures)
        text += "  " + line + "\n";
    return text + "\n";
}

std::string assumptions_text(const StudyReport& report) {
    std::string text;
    for (const std::string& line : report.assumptions)
        text += "assumed: " + line + "\n";
    return text.empty() ? text : text + "\n";
}

std::string legend(const Study& study) {
    const bool has_numbers = std::any_of(study.outcomes.begin(),
                                         study.outcomes.end(),
                                         [](const Outcome& o) { return o.comparison.empty(); });
    return has_numbers ? "mean  median [5–95 %] of subjects\n" : "";
}

std::string arms_text(const StudyReport& report, const Study& study) {
    if (study.outcomes.empty()) return {};
    std::string text = legend(study);
    for (const Arm& arm : study.arms)
        text += table(arm_rows(report, study, arm)) + "\n";
    return text;
}

} // namespace

std::string render(const StudyReport& report, const Study& study) {
    std::string text =
        failures_text(report, study) + assumptions_text(report) + arms_text(report, study);
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
