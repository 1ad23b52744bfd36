#include "solve/native_tier.hpp"

#include "lanes/counted_cost.hpp"

#include <algorithm>
#include <stdexcept>

namespace gemel::sim {
namespace {

constexpr std::int64_t fewest_subjects = 200, fewest_at_once = 16;

} // namespace

bool native_code_pays(std::int64_t expected,
                      std::int64_t n_subjects,
                      std::int64_t n_steps,
                      double step_cost,
                      std::int64_t n_operations) {
    if (n_subjects <= 0 || (expected > 0 && expected < fewest_subjects)) return false;
    if (expected <= 0) expected = 2 * n_subjects;
    if (expected < fewest_subjects) return false;
    const auto left = static_cast<double>(expected - n_subjects);
    const double steps_left = left * static_cast<double>(n_steps) / static_cast<double>(n_subjects);
    return steps_left * step_cost * 0.8 > 2.0 * 170'000.0 * static_cast<double>(n_operations);
}

NativeTier::NativeTier(const LaneMethod& method, const SolverOptions& options)
    : method_(method),
      choice_(options.executor),
      native_(options.native_code),
      expected_(options.expected_subjects),
      width_(method.layout.n_states <= 4 ? 16 : 8) {
    const auto& layout = method_.programs.layout;
    if (choice_ == ExecutorChoice::interpreter || native_ == nullptr) is_asked_for_ = true;
    if (choice_ == ExecutorChoice::native) {
        if (native_ == nullptr) throw std::runtime_error("native code: nobody makes it here");
        begin_native(native_->compile(programs(), layout, width_));
    } else if (is_wanted_at_once()) {
        is_asked_for_ = true;
        make();
    } else if (!is_asked_for_ && expected_ >= fewest_subjects) {
        begin_native(native_->stored(programs(), layout, width_));
    }
}

/// Of an automatic run.
bool NativeTier::is_wanted_at_once() const {
    return !is_asked_for_ && native_->is_at_once() &&
           (expected_ <= 0 || expected_ >= fewest_at_once);
}

void NativeTier::begin_native(std::shared_ptr<const Executor> executor) {
    executor_ = std::move(executor);
    is_there_ = is_asked_for_ = executor_ != nullptr;
}

NativeTier::~NativeTier() {
    if (maker_.joinable()) maker_.join(); // LLVM cannot be stopped on its way
}

/// All but `edge`, which hardly ever runs.
std::vector<const LaneProgram*> NativeTier::programs() const {
    std::vector<const LaneProgram*> all{&method_.programs.prepare};
    for (const LaneProgram& program : method_.programs.programs)
        if (&program != &method_.programs.programs[edge_program_number]) all.push_back(&program);
    return all;
}

std::shared_ptr<const Executor> NativeTier::executor() const {
    if (!is_there_) return nullptr;
    const std::lock_guard lock(mutex_);
    return executor_;
}

void NativeTier::note(std::int64_t n_subjects, std::int64_t n_steps) {
    n_subjects = n_subjects_ += n_subjects;
    n_steps = n_steps_ += n_steps;
    if (is_asked_for_) return;
    std::int64_t n_operations = 0;
    for (const LaneProgram* program : programs())
        n_operations += program->n_operations();
    const double step_cost = counted_cost(method_.programs.programs[step_program]);
    if (!native_code_pays(expected_, n_subjects, n_steps, step_cost, n_operations)) return;
    if (is_asked_for_.exchange(true)) return;
    maker_ = std::thread([this] { make(); });
}

/// Where it cannot be made the interpreter goes on: it was not asked for by name.
void NativeTier::make() try {
    auto made = native_->compile(programs(), method_.programs.layout, width_);
    const std::lock_guard lock(mutex_);
    executor_ = std::move(made);
    is_there_ = true;
} catch (const std::runtime_error&) {
}

std::string NativeTier::describe() const {
    if (!is_there_) return "interpreter";
    return n_subjects_ > 0 ? "interpreter, then native" : "native";
}

} // namespace gemel::sim
