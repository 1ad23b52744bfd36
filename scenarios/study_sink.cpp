#include "study_sink.hpp"

#include "engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

namespace gemel::scenarios {

namespace {

const std::vector<std::string> arm_and_subject{"arm", "subject"};

std::string subject_axis(const Study& study, const Save& save) {
    return save.n_subjects == study.population.size ? "subject"
                                                    : fmt::format("subject_{}", save.n_subjects);
}

void add_subject_axis(const std::string& name, std::uint64_t n_subjects, io::ResultFile& file) {
    io::Axis axis{name, "number of the subject", "1", {}, {}, {}};
    axis.integers.resize(static_cast<std::size_t>(n_subjects));
    std::iota(axis.integers.begin(), axis.integers.end(), 1);
    file.add(axis);
}

/// Curves on one grid share an axis: the first grid is `time`, others are named for their output.
std::string time_axis(const std::vector<Save>& saves, std::size_t index) {
    for (std::size_t i = 0; i <= index; ++i)
        if (saves[i].times == saves[index].times)
            return i == 0 ? "time" : "time_" + saves[i].output;
    return {};
}

void declare_axes(const Study& study, io::ResultFile& file) {
    io::Axis arms{"arm", "arm", "1", {}, {}, {}};
    for (const Arm& arm : study.arms)
        arms.labels.push_back(arm.name);
    file.add(arms);
    add_subject_axis("subject", study.population.size, file);
    const std::vector<Save> saves = written_saves(study);
    std::set<std::string> added{"subject"};
    for (std::size_t i = 0; i < saves.size(); ++i) {
        if (added.insert(subject_axis(study, saves[i])).second)
            add_subject_axis(subject_axis(study, saves[i]), saves[i].n_subjects, file);
        if (added.insert(time_axis(saves, i)).second)
            file.add(io::Axis{time_axis(saves, i),
                              "time since the start of the study",
                              study.model->system.time_unit.text,
                              saves[i].times,
                              {},
                              {}});
    }
}

void declare_curves(const Study& study, io::ResultFile& file) {
    const std::vector<Save> saves = written_saves(study);
    for (std::size_t i = 0; i < saves.size(); ++i) {
        const int index = study.model->find_output(saves[i].output);
        const sim::NamedExpr& output = study.model->system.outputs[static_cast<std::size_t>(index)];
        file.add({output.name,
                  io::ValueType::real,
                  {"arm", subject_axis(study, saves[i]), time_axis(saves, i)},
                  output.unit.text,
                  output.label.empty() ? output.name : output.label,
                  {},
                  {{"cell_methods", time_axis(saves, i) + ": point"}}});
    }
}

void declare_outcomes(const Study& study, io::ResultFile& file) {
    for (std::size_t i = 0; i < study.outcomes.size(); ++i)
        file.add({"outcomes/" + study.outcomes[i].name,
                  io::ValueType::real,
                  arm_and_subject,
                  study.outcome_units[i].text,
                  study.outcomes[i].text.text,
                  {},
                  {}});
}

void declare_parameters(const Study& study, io::ResultFile& file) {
    for (const sim::NamedExpr& parameter : study.model->system.parameters)
        file.add({"parameters/" + parameter.name,
                  io::ValueType::real,
                  {"subject"},
                  parameter.unit.text,
                  parameter.label.empty() ? "individual " + parameter.name : parameter.label,
                  {},
                  {}});
}

void declare_diagnostics(const Study& study, io::ResultFile& file) {
    io::Variable status{"diagnostics/status",
                        io::ValueType::category,
                        arm_and_subject,
                        "1",
                        "how the solve ended",
                        {},
                        {}};
    for (int i = 0; i < sim::n_solver_statuses; ++i)
        status.meanings.emplace_back(sim::name(static_cast<sim::SolverStatus>(i)));
    file.add(status);
    const auto add =
        [&](const char* name, io::ValueType type, std::string unit, const char* about) {
            file.add({fmt::format("diagnostics/{}", name),
                      type,
                      arm_and_subject,
                      std::move(unit),
                      about,
                      {},
                      {}});
        };
    add("n_steps", io::ValueType::integer, "1", "accepted steps; 0 for exact solvers");
    add("n_rejected", io::ValueType::integer, "1", "rejected steps");
    add("stopped_at", io::ValueType::real, study.model->system.time_unit.text, "time reached");
}

bool holds(const std::string& comparison, double value, double threshold) {
    if (comparison == "<") return value < threshold;
    if (comparison == "<=") return value <= threshold;
    if (comparison == ">") return value > threshold;
    return value >= threshold;
}

} // namespace

void declare_results(const Study& study, io::ResultFile& file) {
    declare_axes(study, file);
    declare_curves(study, file);
    declare_outcomes(study, file);
    declare_parameters(study, file);
    declare_diagnostics(study, file);
}

StudySink::StudySink(const Study& study, io::ResultFile& file)
    : study_(study),
      file_(file),
      saves_(written_saves(study)),
      failures_(study.arms.size()) {
    const std::vector<double> unknown(static_cast<std::size_t>(study.population.size),
                                      std::numeric_limits<double>::quiet_NaN());
    outcomes_.assign(study.arms.size(), {study.outcomes.size(), unknown});
}

void StudySink::write(int arm, const sim::SubjectRange& range, const sim::BlockResult& result) {
    write_curves(arm, range, result);
    write_outcomes(arm, range, result);
    if (arm == 0) // the same in every arm
        write_parameters(range, result);
    write_diagnostics(arm, range, result);
}

void StudySink::write_curves(int arm,
                             const sim::SubjectRange& range,
                             const sim::BlockResult& result) {
    for (std::size_t i = 0; i < saves_.size(); ++i) {
        const Save& save = saves_[i];
        if (range.first >= save.n_subjects) continue;
        const std::uint64_t count = std::min(range.count, save.n_subjects - range.first);
        const auto n_values = static_cast<std::size_t>(count) * save.times.size();
        file_.write(save.output,
                    arm,
                    range.first,
                    std::span<const double>(result.sampled[i].data(), n_values));
    }
}

void StudySink::write_outcomes(int arm,
                               const sim::SubjectRange& range,
                               const sim::BlockResult& result) {
    const auto count = static_cast<std::size_t>(range.count);
    for (std::size_t i = 0; i < study_.outcomes.size(); ++i) {
        const Outcome& outcome = study_.outcomes[i];
        const double offset = study_.bound_outcomes[static_cast<std::size_t>(arm)][i].offset;
        double* kept = outcomes_[static_cast<std::size_t>(arm)][i].data() + range.first;
        for (std::size_t s = 0; s < count; ++s) {
            const double value = result.functionals[i * count + s] + offset;
            kept[s] = value;
            if (!outcome.comparison.empty() && value == value)
                kept[s] =
                    holds(outcome.comparison, value, study_.outcome_thresholds[i]) ? 1.0 : 0.0;
        }
        file_.write(
            "outcomes/" + outcome.name, arm, range.first, std::span<const double>(kept, count));
    }
}

void StudySink::write_parameters(const sim::SubjectRange& range, const sim::BlockResult& result) {
    const auto count = static_cast<std::size_t>(range.count);
    const auto& parameters = study_.model->system.parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i)
        file_.write("parameters/" + parameters[i].name,
                    -1,
                    range.first,
                    std::span<const double>(result.parameters.data() + i * count, count));
}

void StudySink::write_diagnostics(int arm,
                                  const sim::SubjectRange& range,
                                  const sim::BlockResult& result) {
    std::vector<std::uint8_t> codes;
    for (std::size_t s = 0; s < result.status.size(); ++s) {
        codes.push_back(static_cast<std::uint8_t>(result.status[s]));
        if (result.status[s] != sim::SolverStatus::ok)
            failures_[static_cast<std::size_t>(arm)][range.first + s + 1] = result.status[s];
    }
    const auto integers = [](const std::vector<std::uint32_t>& values) {
        return std::vector<std::int64_t>(values.begin(), values.end());
    };
    const std::string folder = "diagnostics/";
    file_.write(folder + "status", arm, range.first, std::span<const std::uint8_t>(codes));
    file_.write(folder + "n_steps",
                arm,
                range.first,
                std::span<const std::int64_t>(integers(result.n_steps)));
    file_.write(folder + "n_rejected",
                arm,
                range.first,
                std::span<const std::int64_t>(integers(result.n_rejected)));
    file_.write(
        folder + "stopped_at", arm, range.first, std::span<const double>(result.stopped_at));
}

std::vector<StudySink::Failure> StudySink::failures(std::size_t arm) const {
    std::vector<Failure> list;
    for (const auto& [subject, status] : failures_[arm])
        list.push_back({subject, status});
    return list;
}

std::uint64_t StudySink::n_failed_subjects() const {
    std::set<std::uint64_t> subjects;
    for (const auto& arm : failures_)
        for (const auto& [subject, status] : arm)
            subjects.insert(subject);
    return subjects.size();
}

} // namespace gemel::scenarios
