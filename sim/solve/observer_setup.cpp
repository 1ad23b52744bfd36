#include "base/finite.hpp"
#include "solve/observer.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::sim {
namespace {

constexpr int n_modifiers = 4; ///< bioavailability, lag, modelled rate, modelled duration

/// Result slots in the order of observer.hpp.
ProgramSpec initial_spec(CompiledSystem& compiled) {
    OdeSystem& system = compiled.system;
    ProgramSpec spec{"initial", {}};
    const auto n = static_cast<std::size_t>(system.n_own_states());
    const auto add = [&](Expr value, double otherwise) {
        const Leaf to{LeafKind::result, static_cast<int>(spec.targets.size())};
        spec.targets.push_back({to, value.is_set() ? value : system.graph.constant(otherwise)});
    };
    for (const State& state : system.states)
        add(state.initial, 0.0);
    const auto add_modifiers = [&](const auto& of_state, double otherwise) {
        for (std::size_t i = 0; i < n; ++i)
            add(of_state[i].bioavailability, otherwise);
        for (std::size_t i = 0; i < n; ++i)
            add(of_state[i].lag, 0.0);
        for (std::size_t i = 0; i < n; ++i)
            add(of_state[i].modelled_rate, 0.0);
        for (std::size_t i = 0; i < n; ++i)
            add(of_state[i].modelled_duration, 0.0);
    };
    add_modifiers(system.states, 1.0);
    for (const NamedExpr& parameter : system.parameters)
        add(parameter.value, 0.0);
    for (const auto& by_input : system.sensitivities.modifiers)
        add_modifiers(by_input, 0.0);
    for (const Expr time : compiled.model_times)
        add(time, 0.0);
    for (const int input : system.sensitivities.wrt)
        for (const Expr time : compiled.model_times)
            add(system.graph.differentiate(time, {LeafKind::input, input}), 0.0);
    return spec;
}

bool corners_move(CompiledSystem& compiled) {
    ExpressionGraph& graph = compiled.system.graph;
    for (const int input : compiled.system.sensitivities.wrt)
        for (const Expr time : compiled.model_times)
            if (!graph.is_constant(graph.differentiate(time, {LeafKind::input, input}), 0.0))
                return true;
    return false;
}

bool doses_move(const OdeSystem& system) {
    for (const auto& by_input : system.sensitivities.modifiers)
        for (const SensitivityLayout::Modifiers& of_state : by_input)
            if (of_state.lag.is_set() && !system.graph.is_constant(of_state.lag, 0.0)) return true;
    return false;
}

ProgramSpec rates_at_doses_spec(CompiledSystem& compiled) {
    ProgramSpec spec{"rates at doses", {}};
    const OdeSystem& system = compiled.system;
    if (!doses_move(system) && !corners_move(compiled)) return spec;
    for (int i = 0; i < system.n_own_states(); ++i)
        spec.targets.push_back(
            {{LeafKind::result, i}, system.states[static_cast<std::size_t>(i)].rate});
    return spec;
}

ProgramSpec outputs_spec(const CompiledSystem& compiled) {
    ProgramSpec spec{"outputs", {}};
    for (std::size_t k = 0; k < compiled.system.outputs.size(); ++k)
        spec.targets.push_back(
            {{LeafKind::result, static_cast<int>(k)}, compiled.system.outputs[k].value});
    return spec;
}

bool row_is_finite(const std::vector<double>& columns, int n_columns, int n_rows, int row) {
    for (int i = 0; i < n_columns; ++i)
        if (!std::isfinite(columns[static_cast<std::size_t>(i * n_rows + row)])) return false;
    return true;
}

} // namespace

ProgramSet lower_with_common(CompiledSystem& system, std::span<const ProgramSpec> own) {
    std::vector<ProgramSpec> specs{
        initial_spec(system), outputs_spec(system), rates_at_doses_spec(system)};
    specs.insert(specs.end(), own.begin(), own.end());
    ProgramSet set = lower(system.system.graph, specs);
    // Every input and state has its slot, mentioned or not, so that whoever fills columns need not
    // ask.
    set.layout.make_room(LeafKind::input, static_cast<int>(system.system.inputs.size()));
    set.layout.make_room(LeafKind::state, static_cast<int>(system.system.states.size()));
    return set;
}

SetupPrograms::SetupPrograms(const CompiledSystem& system,
                             const ProgramSet& set,
                             int width,
                             const Executor& executor)
    : width_(width),
      n_inputs_(static_cast<int>(system.system.inputs.size())),
      n_states_(static_cast<int>(system.system.states.size())),
      n_own_(system.system.n_own_states()),
      n_derived_(set.layout.count(LeafKind::derived)),
      n_parameters_(static_cast<int>(system.system.parameters.size())),
      n_wrt_(system.system.sensitivities.n_wrt()),
      n_model_times_(static_cast<int>(system.model_times.size())),
      layout_(set.layout),
      prepare_(executor.compile(set.prepare, set.layout, width)),
      initial_(executor.compile(set.programs[0], set.layout, width)) {
    for (int p = 0; p < n_parameters_; ++p)
        if (system.system.parameters[static_cast<std::size_t>(p)].must_not_be_negative)
            not_negative_.push_back(p);
    const int slots = std::max(prepare_->n_slots(), initial_->n_slots());
    workspace_ = Workspace(static_cast<std::size_t>(slots) * static_cast<std::size_t>(width));
}

void SetupPrograms::size(BlockSetup& setup, const BlockProblem& problem) const {
    setup.n_subjects = problem.n_subjects;
    setup.first_row.assign(1, 0);
    for (int s = 0; s < problem.n_subjects; ++s)
        setup.first_row.push_back(setup.first_row.back() + problem.n_rows_of(s));
    setup.n_rows = setup.first_row.back();
    const auto n = static_cast<std::size_t>(setup.n_rows);
    const std::size_t own = n * static_cast<std::size_t>(n_own_);
    setup.derived.resize(n * static_cast<std::size_t>(n_derived_));
    setup.initial.resize(n * static_cast<std::size_t>(n_states_));
    for (auto* column :
         {&setup.bioavailability, &setup.lag, &setup.modelled_rate, &setup.modelled_duration})
        column->resize(own);
    setup.modifier_derivatives.resize(static_cast<std::size_t>(n_wrt_ * n_modifiers) * own);
    setup.parameters.resize(n * static_cast<std::size_t>(n_parameters_));
    setup.model_times.resize(n * static_cast<std::size_t>(n_model_times_));
    setup.model_time_derivatives.resize(n * static_cast<std::size_t>(n_wrt_ * n_model_times_));
    setup.status.assign(static_cast<std::size_t>(problem.n_subjects), SolverStatus::ok);
}

void SetupPrograms::run(const BlockProblem& problem, BlockSetup& setup) {
    size(setup, problem);
    double* w = workspace_.data();
    const int used_inputs = std::min(n_inputs_, layout_.count(LeafKind::input));
    for (int first = 0; first < setup.n_rows; first += width_) {
        const int n = std::min(width_, setup.n_rows - first);
        for (int i = 0; i < used_inputs; ++i) {
            const double* from = problem.inputs.data() + i * setup.n_rows + first;
            double* to = w + layout_.slot({LeafKind::input, i}) * width_;
            for (int lane = 0; lane < width_; ++lane)
                to[lane] = from[std::min(lane, n - 1)]; // the last row fills the tail
        }
        prepare_->run(w);
        initial_->run(w);
        store(setup, first, n);
    }
    check(setup);
}

void SetupPrograms::store(BlockSetup& setup, int first, int n) const {
    const double* w = workspace_.data();
    const auto copy = [&](Leaf first_slot, int columns, std::vector<double>& to) {
        for (int i = 0; i < columns; ++i) {
            const double* from = w + layout_.slot({first_slot.kind, first_slot.index + i}) * width_;
            std::copy(from, from + n, to.data() + i * setup.n_rows + first);
        }
    };
    int next = 0;
    const auto copy_results = [&](int columns, std::vector<double>& to) {
        copy({LeafKind::result, next}, columns, to);
        next += columns;
    };
    copy({LeafKind::derived, 0}, n_derived_, setup.derived);
    copy_results(n_states_, setup.initial);
    for (auto* column :
         {&setup.bioavailability, &setup.lag, &setup.modelled_rate, &setup.modelled_duration})
        copy_results(n_own_, *column);
    copy_results(n_parameters_, setup.parameters);
    copy_results(n_wrt_ * n_modifiers * n_own_, setup.modifier_derivatives);
    copy_results(n_model_times_, setup.model_times);
    copy_results(n_wrt_ * n_model_times_, setup.model_time_derivatives);
}

/// A subject one of whose rows means nothing is refused.
void SetupPrograms::check(BlockSetup& setup) const {
    const auto is_refused = [&](int row) {
        const int n = setup.n_rows;
        if (!row_is_finite(setup.initial, n_states_, n, row) ||
            !row_is_finite(setup.bioavailability, n_own_, n, row) ||
            !row_is_finite(setup.lag, n_own_, n, row) ||
            !row_is_finite(setup.parameters, n_parameters_, n, row))
            return true;
        return std::any_of(not_negative_.begin(), not_negative_.end(), [&](int p) {
            return setup.parameters[static_cast<std::size_t>(p * n + row)] < 0.0;
        });
    };
    const bool is_plain = not_negative_.empty() && all_finite(setup.initial) &&
                          all_finite(setup.bioavailability) && all_finite(setup.lag) &&
                          all_finite(setup.parameters);
    if (is_plain) return;
    for (int s = 0; s < setup.n_subjects; ++s)
        for (int row = setup.first_row[static_cast<std::size_t>(s)];
             row < setup.first_row[static_cast<std::size_t>(s) + 1];
             ++row)
            if (is_refused(row))
                setup.status[static_cast<std::size_t>(s)] = SolverStatus::invalid_parameter;
}

} // namespace gemel::sim
