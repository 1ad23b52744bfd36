#include <gemel/sim/assert.hpp>
#include <gemel/sim/run.hpp>

#include <algorithm>
#include <limits>

namespace gemel::sim {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Copies [n_rows × count] to columns [offset, offset + count) of [n_rows × n_columns].
void place(const std::vector<double>& from,
           std::int64_t count,
           std::vector<double>& to,
           std::int64_t n_columns,
           std::int64_t offset) {
    if (count == 0) return;
    const std::int64_t n_rows = static_cast<std::int64_t>(from.size()) / count;
    for (std::int64_t row = 0; row < n_rows; ++row)
        std::copy_n(from.begin() + row * count, count, to.begin() + row * n_columns + offset);
}

MemorySink::View
rows_and_columns(const std::vector<double>& data, std::int64_t n_rows, std::int64_t n_columns) {
    return {data.data(),
            {n_rows, n_columns},
            {n_columns * static_cast<std::int64_t>(sizeof(double)), sizeof(double)}};
}

} // namespace

MemorySink::MemorySink(const RunRequest& request)
    : first_(request.subjects.first),
      n_subjects_(static_cast<std::int64_t>(request.subjects.count)) {
    const std::size_t n = request.subjects.count;
    parameters_.assign(n * request.system->system.parameters.size(), nan);
    for (const ArmProblem& problem : request.arms) {
        Arm arm;
        for (const SampledOutput& sampled : problem.observation.sampled) {
            arm.n_times.push_back(static_cast<std::int64_t>(sampled.times.size()));
            arm.sampled.emplace_back(n * sampled.times.size(), nan);
        }
        arm.functionals.assign(n * problem.observation.functionals.size(), nan);
        arm.status.assign(n, SolverStatus::ok);
        arms_.push_back(std::move(arm));
    }
}

void MemorySink::write(int arm_index, const SubjectRange& range, const BlockResult& result) {
    Arm& arm = arms_[static_cast<std::size_t>(arm_index)];
    const auto offset = static_cast<std::int64_t>(range.first - first_);
    const auto count = static_cast<std::int64_t>(range.count);
    GEMEL_ASSERT(offset + count <= n_subjects_, "a block lies in the sink's range");
    for (std::size_t k = 0; k < arm.sampled.size(); ++k)
        std::copy(result.sampled[k].begin(),
                  result.sampled[k].end(),
                  arm.sampled[k].begin() + offset * arm.n_times[k]);
    std::copy(result.status.begin(), result.status.end(), arm.status.begin() + offset);
    place(result.functionals, count, arm.functionals, n_subjects_, offset);
    place(result.parameters, count, parameters_, n_subjects_, offset);
}

MemorySink::View MemorySink::sampled(int arm, int sampled_output) const {
    const Arm& a = arms_[static_cast<std::size_t>(arm)];
    const auto k = static_cast<std::size_t>(sampled_output);
    return rows_and_columns(a.sampled[k], n_subjects_, a.n_times[k]);
}

MemorySink::View MemorySink::functionals(int arm) const {
    const Arm& a = arms_[static_cast<std::size_t>(arm)];
    const auto n = static_cast<std::int64_t>(a.functionals.size());
    return rows_and_columns(a.functionals, n_subjects_ > 0 ? n / n_subjects_ : 0, n_subjects_);
}

MemorySink::View MemorySink::parameters() const {
    const auto n = static_cast<std::int64_t>(parameters_.size());
    return rows_and_columns(parameters_, n_subjects_ > 0 ? n / n_subjects_ : 0, n_subjects_);
}

std::span<const SolverStatus> MemorySink::status(int arm) const {
    return arms_[static_cast<std::size_t>(arm)].status;
}

} // namespace gemel::sim
