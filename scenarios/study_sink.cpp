#include "study_sink.hpp"

#include "endpoints/endpoint_columns.hpp"
#include "engine.hpp"

#include <gemel/sim/assert.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <type_traits>

namespace gemel::scenarios {

namespace {

const std::vector<std::string> arm_and_subject{"arm", "subject"};

std::string subject_axis(const Study& study, const Save& save) {
    return save.n_subjects == study.population.size ? "subject"
                                                    : fmt::format("subject_{}", save.n_subjects);
}

void add_subject_axis(const std::string& name, std::uint64_t n_subjects, io::Layout& file) {
    file.add(io::Axis{.name = name, .long_name = "number of the subject", .count = n_subjects});
}

void declare_axes(const Study& study, io::Layout& file) {
    io::Axis arms{"arm", "arm", "1", {}, {}, {}};
    for (const Arm& arm : study.arms)
        arms.labels.push_back(arm.name);
    file.add(arms);
    const std::vector<Save> saves = written_saves(study);
    std::set<std::string> added;
    if (study.writes_subjects || !study.samples.empty()) {
        add_subject_axis("subject", study.population.size, file);
        added.insert("subject");
    }
    for (std::size_t i = 0; i < saves.size(); ++i) {
        if (saves[i].n_subjects > 0 && added.insert(subject_axis(study, saves[i])).second)
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

void declare_curves(const Study& study, io::Layout& file) {
    const std::vector<Save> saves = written_saves(study);
    for (std::size_t i = 0; i < saves.size(); ++i) {
        if (saves[i].n_subjects == 0) continue;
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

void declare_outcomes(const Study& study, io::Layout& file) {
    for (std::size_t i = 0; i < study.outcomes.size(); ++i)
        file.add({"outcomes/" + study.outcomes[i].name,
                  io::ValueType::real,
                  arm_and_subject,
                  study.outcome_units[i].text,
                  study.outcomes[i].text.text,
                  {},
                  {}});
}

void declare_parameters(const Study& study, io::Layout& file) {
    for (const sim::NamedExpr& parameter : study.model->system.parameters)
        file.add({"parameters/" + parameter.name,
                  io::ValueType::real,
                  {"subject"},
                  parameter.unit.text,
                  parameter.label.empty() ? "individual " + parameter.name : parameter.label,
                  {},
                  {}});
}

void declare_diagnostics(const Study& study, io::Layout& file) {
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
    add("fell_back", io::ValueType::integer, "1", "1: solved by cvode after the solver gave up");
}

/// Puts the axis of replicates in front of every variable.
class Replicated : public io::Layout {
public:
    explicit Replicated(io::Layout& file) : file_(file) {}
    void add(const io::Axis& axis) override { file_.add(axis); }
    void add(const io::Variable& variable) override {
        io::Variable replicated = variable;
        replicated.axes.insert(replicated.axes.begin(), io::replicate_axis);
        file_.add(replicated);
    }

private:
    io::Layout& file_;
};

using FrequencyLaw = pkpd::UncertainFrequencies::Law;

std::string path_of(const FrequencyLaw& law) {
    return fmt::format(
        "uncertainty/frequency.{}{}{}", law.of, law.group.empty() ? "" : ".", law.group);
}

/// Along the alleles of a gene, an axis of its own.
void declare_frequencies(const Study& study, io::Layout& file) {
    if (!study.population.frequencies) return;
    std::set<std::string> declared;
    for (const FrequencyLaw& law : study.population.frequencies->laws) {
        const std::string axis = "allele_" + law.of;
        if (declared.insert(axis).second)
            file.add(io::Axis{.name = axis, .long_name = law.of, .labels = law.names});
        file.add({path_of(law),
                  io::ValueType::real,
                  {axis},
                  "1",
                  fmt::format("frequencies of {}, as drawn", law.of),
                  {},
                  {}});
    }
}

/// What every replicate was drawn by.
void declare_uncertainty(const Study& study, io::Layout& file) {
    declare_frequencies(study, file);
    if (!study.population.uncertainty) return;
    for (const pkpd::LawNumber& number : study.population.uncertainty->numbers)
        file.add({"uncertainty/" + number.name,
                  io::ValueType::real,
                  {},
                  number.unit.text,
                  number.about,
                  {},
                  {}});
}

void declare_all(const Study& study, io::Layout& file) {
    declare_axes(study, file);
    declare_uncertainty(study, file);
    declare_curves(study, file);
    declare_samples(study, file);
    if (study.writes_subjects) {
        declare_outcomes(study, file);
        declare_parameters(study, file);
        declare_diagnostics(study, file);
        declare_cohort(study, file);
        declare_policies(study, file);
    }
    declare_data_samples(study, file);
    declare_summaries(study, file);
    declare_endpoints(study, file);
}

} // namespace

void declare_results(const Study& study, io::Layout& file) {
    if (study.n_replicates == 0) return declare_all(study, file);
    file.add(io::Axis{.name = io::replicate_axis,
                      .long_name = "number of the replicate",
                      .count = study.n_replicates});
    Replicated replicated(file);
    declare_all(study, replicated);
}

void write_uncertainty(const Study& study, std::uint32_t replicate, io::ResultFile& file) {
    if (const auto& uncertain = study.population.frequencies)
        for (const FrequencyLaw& law : uncertain->laws)
            file.write_all(path_of(law), uncertain->frequencies(law, replicate));
    const auto& uncertainty = study.population.uncertainty;
    if (!uncertainty) return;
    const std::vector<double> values =
        pkpd::uncertain_values(*uncertainty, study.population.seed, replicate);
    for (std::size_t i = 0; i < values.size(); ++i)
        file.write_all("uncertainty/" + uncertainty->numbers[i].name,
                       std::span<const double>(&values[i], 1));
}

StudySink::StudySink(const Study& study, io::ResultFile& file, std::uint32_t replicate)
    : study_(study),
      file_(file),
      saves_(written_saves(study)),
      samples_(study, replicate),
      block_size_(block_size_of(study)),
      outcomes_(study),
      curves_(study),
      is_done_((study.population.size + block_size_ - 1) / block_size_ * study.arms.size(), 0),
      assumptions_(study.model->maps.size()),
      policies_(study.policy_uses.size(), PolicyCounts{}),
      failures_(study),
      endpoints_(study),
      data_samples_(study, replicate) {}

void StudySink::draw(const sim::SubjectRange& range, std::span<double> inputs) {
    pkpd::CohortBlock cohort = draw_cohort(study_, range);
    fill_inputs(study_, cohort, inputs);
    const std::lock_guard lock(cohorts_mutex_);
    cohorts_.insert_or_assign(range.first, std::move(cohort));
}

const pkpd::CohortBlock& StudySink::cohort(const sim::SubjectRange& range) {
    const std::lock_guard lock(cohorts_mutex_);
    const auto at = cohorts_.find(range.first);
    GEMEL_ASSERT(at != cohorts_.end(), "a block is drawn before it is solved");
    return at->second; // of one worker until it is forgotten; a map moves nothing
}

std::size_t StudySink::number_of(std::size_t arm, const sim::SubjectRange& range) const {
    return static_cast<std::size_t>(range.first / block_size_) * study_.arms.size() + arm;
}

bool StudySink::is_done(std::size_t arm, const sim::SubjectRange& range) const {
    const std::lock_guard lock(mutex_);
    return is_done_[number_of(arm, range)] != 0;
}

std::uint64_t StudySink::n_done() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::uint64_t>(std::count(is_done_.begin(), is_done_.end(), 1));
}

sim::RunReport StudySink::report() const {
    sim::RunReport report;
    report.n_fell_back = n_fell_back_;
    for (std::size_t arm = 0; arm < study_.arms.size(); ++arm) {
        const auto counts = failures_.counts(arm);
        report.status_counts.emplace_back(counts.begin(), counts.end());
        report.n_solves = std::accumulate(counts.begin(), counts.end(), report.n_solves);
    }
    return report;
}

void StudySink::write(int arm, const sim::SubjectRange& range, const sim::BlockResult& result) {
    const auto index = static_cast<std::size_t>(arm);
    const pkpd::CohortBlock& drawn = cohort(range);
    const std::vector<std::uint8_t> none = undosed(study_, index, drawn);
    if (none.empty())
        write_solved(index, drawn, result, none);
    else
        write_solved(index, drawn, without(result, none), none);
    if (index + 1 == study_.arms.size()) {
        const std::lock_guard lock(cohorts_mutex_);
        cohorts_.erase(range.first);
    }
    if (after_block) after_block();
}

void StudySink::write_solved(std::size_t arm,
                             const pkpd::CohortBlock& drawn,
                             const sim::BlockResult& result,
                             std::span<const std::uint8_t> none) {
    const std::vector<double> outcomes = outcomes_of(study_, arm, result);
    const SolvedBlock block{arm, drawn, result, outcomes, none};
    write_block(block);
    count(block);
}

/// What of a block has a place of its own in the file.
void StudySink::write_block(const SolvedBlock& block) {
    write_curves(block);
    samples_.write(block, saves_.size(), file_);
    if (study_.writes_subjects) write_subjects(block);
}

/// After the block is written: what is counted is in the file.
void StudySink::count(const SolvedBlock& block) {
    std::vector<Assumption> assumptions(assumptions_.size());
    std::vector<PolicyCounts> policies(study_.policy_uses.size(), PolicyCounts{});
    if (block.arm == 0) count_assumptions(study_, block.cohort, assumptions);
    if (block.arm == 0) count_policies(block.cohort, policies);
    const CountingGate::Pass pass = gate_.enter();
    outcomes_.add(block);
    curves_.add(block);
    const std::lock_guard lock(mutex_);
    for (std::size_t map = 0; map < assumptions.size(); ++map)
        assumptions_[map] += assumptions[map];
    for (std::size_t use = 0; use < policies.size(); ++use)
        for (std::size_t action = 0; action < n_policy_actions; ++action)
            policies_[use][action] += policies[use][action];
    failures_.add(block);
    endpoints_.add(block);
    data_samples_.add(block);
    for (const std::uint8_t fell_back : block.result.fell_back)
        n_fell_back_ += fell_back;
    count_failed_subjects(block);
    is_done_[number_of(block.arm, block.cohort.range)] = 1;
}

/// Once a block is done in every arm.
void StudySink::count_failed_subjects(const SolvedBlock& block) {
    const std::uint64_t first = block.cohort.range.first;
    std::vector<std::uint8_t>& has_failed = has_failed_[first];
    has_failed.resize(block.n_subjects(), 0);
    for (std::size_t s = 0; s < block.n_subjects(); ++s)
        if (!block.is_solved(s)) has_failed[s] = 1;
    if (block.arm + 1 < study_.arms.size()) return;
    n_failed_subjects_ = std::accumulate(has_failed.begin(), has_failed.end(), n_failed_subjects_);
    has_failed_.erase(first);
}

/// What is written once for a subject comes with the first arm.
void StudySink::write_subjects(const SolvedBlock& block) {
    if (block.arm == 0) {
        write_cohort(study_, block.cohort, file_);
        write_policies(study_, block.cohort, file_);
        write_parameters(block);
    }
    write_outcomes(block);
    write_diagnostics(block);
}

void StudySink::write_curves(const SolvedBlock& block) {
    const sim::SubjectRange& range = block.cohort.range;
    for (std::size_t i = 0; i < saves_.size(); ++i) {
        const Save& save = saves_[i];
        if (range.first >= save.n_subjects) continue;
        const std::uint64_t count = std::min(range.count, save.n_subjects - range.first);
        const auto n_values = static_cast<std::size_t>(count) * save.times.size();
        file_.write(save.output,
                    static_cast<int>(block.arm),
                    range.first,
                    std::span<const double>(block.result.sampled[i].data(), n_values));
    }
}

void StudySink::write_outcomes(const SolvedBlock& block) {
    for (std::size_t i = 0; i < study_.outcomes.size(); ++i)
        file_.write("outcomes/" + study_.outcomes[i].name,
                    static_cast<int>(block.arm),
                    block.cohort.range.first,
                    block.outcome(i));
}

void StudySink::write_parameters(const SolvedBlock& block) {
    const std::size_t count = block.n_subjects();
    const auto& parameters = study_.model->system.parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i)
        file_.write("parameters/" + parameters[i].name,
                    -1,
                    block.cohort.range.first,
                    std::span<const double>(block.result.parameters.data() + i * count, count));
}

void StudySink::write_diagnostics(const SolvedBlock& block) {
    const sim::BlockResult& result = block.result;
    const auto put = [&](const char* name, const auto& values) {
        using Value = typename std::decay_t<decltype(values)>::value_type;
        file_.write(fmt::format("diagnostics/{}", name),
                    static_cast<int>(block.arm),
                    block.cohort.range.first,
                    std::span<const Value>(values));
    };
    std::vector<std::uint8_t> codes;
    for (const sim::SolverStatus status : result.status)
        codes.push_back(static_cast<std::uint8_t>(status));
    put("status", codes);
    put("n_steps", std::vector<std::int64_t>(result.n_steps.begin(), result.n_steps.end()));
    put("n_rejected",
        std::vector<std::int64_t>(result.n_rejected.begin(), result.n_rejected.end()));
    put("stopped_at", result.stopped_at);
    put("fell_back", std::vector<std::int64_t>(result.fell_back.begin(), result.fell_back.end()));
}

void StudySink::write_summaries() {
    curves_.write(file_);
    write_endpoints(study_, endpoints_, file_);
    data_samples_.write(file_);
    scenarios::write_summaries(study_, outcomes_, failures_, file_);
}

} // namespace gemel::scenarios
