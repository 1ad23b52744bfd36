#include "curve_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace gemel::scenarios {

namespace {

const std::string quantile_axis = "quantile";

/// What is declared and written for one curve or outcome: `summary/Cp/quantiles` and its fellows.
struct SummaryGroup {
    std::string path;                   ///< "summary/Cp"
    std::vector<std::string> axes;      ///< of mean, sd and n; the arm first
    std::string units, of;              ///< "the curve of Cp"
};

void declare(const SummaryGroup& group, io::Layout& file) {
    std::vector<std::string> with_quantile = group.axes;
    with_quantile.push_back(quantile_axis);
    const auto add = [&](const char* name,
                         io::ValueType type,
                         const std::vector<std::string>& axes,
                         const std::string& units,
                         const char* what) {
        file.add({fmt::format("{}/{}", group.path, name),
                  type,
                  axes,
                  units,
                  fmt::format("{} over subjects of {}", what, group.of),
                  {},
                  {}});
    };
    add("quantiles", io::ValueType::real, with_quantile, group.units, "quantiles");
    add("mean", io::ValueType::real, group.axes, group.units, "mean");
    add("sd", io::ValueType::real, group.axes, group.units, "standard deviation");
    add("n", io::ValueType::integer, group.axes, "1", "number");
}

/// Cells in the order of the file: arms outermost.
struct SummaryColumns {
    std::vector<double> quantiles, mean, sd;
    std::vector<std::int64_t> n;

    void add(const sim::Counters& counters, const sim::Moments& moments) {
        constexpr double nan = std::numeric_limits<double>::quiet_NaN();
        for (const double p : summary_quantiles)
            quantiles.push_back(counters.quantile(p));
        mean.push_back(moments.weight > 0.0 ? moments.mean : nan);
        sd.push_back(std::sqrt(moments.variance()));
        n.push_back(static_cast<std::int64_t>(moments.n));
    }

    void write(const std::string& path, io::ResultFile& file) const {
        file.write_all(path + "/quantiles", std::span<const double>(quantiles));
        file.write_all(path + "/mean", std::span<const double>(mean));
        file.write_all(path + "/sd", std::span<const double>(sd));
        file.write_all(path + "/n", std::span<const std::int64_t>(n));
    }
};

SummaryGroup group_of(const Study& study, std::size_t save) {
    const std::vector<Save> saves = written_saves(study);
    const int index = study.model->find_output(saves[save].output);
    const sim::NamedExpr& output = study.model->system.outputs[static_cast<std::size_t>(index)];
    return {"summary/" + output.name,
            {"arm", time_axis(saves, save)},
            output.unit.text,
            output.label.empty() ? output.name : output.label};
}

std::string outcome_path(const Outcome& outcome) {
    return "summary/outcomes/" + outcome.name;
}

void declare_outcomes_and_failures(const Study& study, io::Layout& file) {
    for (std::size_t i = 0; i < study.outcomes.size(); ++i)
        declare({outcome_path(study.outcomes[i]),
                 {"arm"},
                 study.outcome_units[i].text,
                 study.outcomes[i].text.text},
                file);
    io::Axis status{"status", "how the solve ended", "1", {}, {}, {}};
    for (int i = 0; i < sim::n_solver_statuses; ++i)
        status.labels.emplace_back(sim::name(static_cast<sim::SolverStatus>(i)));
    file.add(status);
    file.add({"summary/n_solves",
              io::ValueType::integer,
              {"arm", "status"},
              "1",
              "number of subjects by how their solve ended",
              {},
              {}});
}

} // namespace

CurveSummary::CurveSummary(const Study& study) {
    const std::vector<Save> saves = written_saves(study);
    for (std::size_t i = 0; i < saves.size(); ++i) {
        if (!saves[i].has_summary) continue;
        Curve curve{saves[i].output, i, saves[i].times.size(), {}};
        for (std::size_t arm = 0; arm < study.arms.size(); ++arm)
            curve.arms.emplace_back(curve.n_times);
        curves_.push_back(std::move(curve));
    }
}

void CurveSummary::add(const SolvedBlock& block) {
    for (Curve& curve : curves_)
        curve.arms[block.arm].add(block.cohort.range.first,
                                  {block.result.sampled[curve.sampled].data(),
                                   block.n_subjects(),
                                   curve.n_times,
                                   1,
                                   block.cohort.weight});
}

void CurveSummary::write(io::ResultFile& file) const {
    for (const Curve& curve : curves_) {
        SummaryColumns columns;
        for (const CellStatistics& arm : curve.arms) {
            const std::vector<sim::Moments> moments = arm.moments();
            for (std::size_t t = 0; t < curve.n_times; ++t)
                columns.add(arm.counters()[t], moments[t]);
        }
        columns.write("summary/" + curve.output, file);
    }
}

void declare_summaries(const Study& study, io::Layout& file) {
    const std::vector<Save> saves = written_saves(study);
    const bool has_curves =
        std::any_of(saves.begin(), saves.end(), [](const Save& s) { return s.has_summary; });
    if (!has_curves && study.writes_subjects) return;
    file.add(io::Axis{quantile_axis,
                      "share of subjects below",
                      "1",
                      {std::begin(summary_quantiles), std::end(summary_quantiles)},
                      {},
                      {}});
    for (std::size_t i = 0; i < saves.size(); ++i)
        if (saves[i].has_summary) declare(group_of(study, i), file);
    if (!study.writes_subjects) declare_outcomes_and_failures(study, file);
}

void write_summaries(const Study& study,
                     const OutcomeSummary& outcomes,
                     const FailureSummary& failures,
                     io::ResultFile& file) {
    if (study.writes_subjects) return;
    for (std::size_t i = 0; i < study.outcomes.size(); ++i) {
        SummaryColumns columns;
        for (std::size_t arm = 0; arm < study.arms.size(); ++arm)
            columns.add(outcomes.counters(arm, i), outcomes.moments(arm)[i]);
        columns.write(outcome_path(study.outcomes[i]), file);
    }
    std::vector<std::int64_t> n_solves;
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm)
        n_solves.insert(
            n_solves.end(), failures.counts(arm).begin(), failures.counts(arm).end());
    file.write_all("summary/n_solves", std::span<const std::int64_t>(n_solves));
}

} // namespace gemel::scenarios
