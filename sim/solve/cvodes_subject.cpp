#include "solve/cvodes_subject.hpp"

#include "base/index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gemel::sim {
namespace {

ProgramSpec sensitivity_rates_program(const OdeSystem& system) {
    ProgramSpec spec{"sensitivity rates", {}};
    for (std::size_t i = index(system.n_own_states()); i < system.states.size(); ++i)
        spec.targets.push_back(
            {{LeafKind::result, static_cast<int>(spec.targets.size())}, system.states[i].rate});
    return spec;
}

ProgramSpec input_slopes_program(OdeSystem& system) {
    ProgramSpec spec{"input slopes", {}};
    for (const int input : system.sensitivities.wrt)
        for (int i = 0; i < system.n_own_states(); ++i)
            spec.targets.push_back({{LeafKind::result, static_cast<int>(spec.targets.size())},
                                    system.graph.differentiate(system.states[index(i)].rate,
                                                               {LeafKind::input, input})});
    return spec;
}

ProgramSpec output_slopes_program(OdeSystem& system) {
    ProgramSpec spec{"output slopes", {}};
    const auto store = [&](int output, Leaf leaf) {
        spec.targets.push_back(
            {{LeafKind::result, static_cast<int>(spec.targets.size())},
             system.graph.differentiate(system.outputs[index(output)].value, leaf)});
    };
    for (int k = 0; k < system.sensitivities.n_outputs; ++k) {
        for (int i = 0; i < system.n_own_states(); ++i)
            store(k, {LeafKind::state, i});
        for (const int input : system.sensitivities.wrt)
            store(k, {LeafKind::input, input});
    }
    return spec;
}

} // namespace

CvodesModel::CvodesModel(const OdeSystem& plain,
                         const std::vector<int>& wrt,
                         const SolverOptions& solver_options)
    : options(solver_options),
      system(compile(with_sensitivities(plain, wrt))),
      pattern(jacobian_pattern(system.structure, system.system.n_own_states())),
      n(system.system.n_own_states()),
      n_wrt(static_cast<int>(wrt.size())),
      n_outputs(static_cast<int>(plain.outputs.size())) {
    if (wrt.empty()) throw std::invalid_argument("CVODES: sensitivities to no input are asked for");
    if (!(options.rtol > 0.0 && options.rtol < 1.0))
        throw std::invalid_argument(
            fmt::format("CVODES: rtol must lie in (0, 1), got {}", options.rtol));
    const ProgramSpec own[] = {scalar_rates_program(system, n),
                               jacobian_program(system, pattern),
                               sensitivity_rates_program(system.system),
                               input_slopes_program(system.system),
                               output_slopes_program(system.system)};
    programs = lower_with_common(system, own);
}

void CvodesModel::check(const SubjectProblem& problem) const {
    if (problem.timeline == nullptr) throw std::invalid_argument("CVODES: timeline is not set");
    if (problem.inputs.size() != system.system.inputs.size())
        throw std::invalid_argument(fmt::format("CVODES: {} inputs, the system has {}",
                                                problem.inputs.size(),
                                                system.system.inputs.size()));
    validate(*problem.timeline, n, static_cast<int>(system.system.inputs.size()));
    const Observation observation{{problem.sampled.begin(), problem.sampled.end()}, {}};
    validate(observation, system, *problem.timeline);
    for (const Record& record : problem.timeline->records)
        if (record.kind > RecordKind::infuse || record.steady != SteadyState::none)
            throw std::invalid_argument("CVODES: doses alone have sensitivities here");
    for (const SampledOutput& sampled : problem.sampled)
        if (sampled.output >= n_outputs)
            throw std::invalid_argument(
                fmt::format("CVODES: there is no own output {}", sampled.output));
}

CvodesSubject::CvodesSubject(const CvodesModel& model)
    : model_(model),
      setup_programs_(model.system, model.programs, 1),
      doses_(model.system, model.programs),
      scales_(model.system.system),
      columns_(index(model.n * (1 + model.n_wrt))),
      infusion_(columns_.size()),
      scale_(columns_.size()),
      running_(columns_.size()) {}

SolverStatus CvodesSubject::load(const SubjectProblem& problem) {
    problem_ = &problem;
    block_ = {1, problem.inputs, problem.timeline, nullptr, {}};
    inputs_.assign(problem.inputs.begin(), problem.inputs.end());
    setup_programs_.run(block_, setup_);
    if (setup_.status[0] != SolverStatus::ok) return setup_.status[0];
    doses_.begin(block_, setup_, no_carrier_);
    if (const SolverStatus status = doses_.expand(0, events_); status != SolverStatus::ok)
        return status;
    next_ = 0;
    std::copy(setup_.initial.begin(), setup_.initial.end(), columns_.begin());
    std::fill(infusion_.begin(), infusion_.end(), 0.0);
    std::fill(running_.begin(), running_.end(), 0);
    scales_.find(events_.all(), columns_.data(), 1, end(), scale_.data(), 1, inputs_.data(), 1);
    theta_.clear();
    for (const int input : model_.system.system.sensitivities.wrt)
        theta_.push_back(inputs_[index(input)] != 0.0 ? std::fabs(inputs_[index(input)]) : 1.0);
    sort_points();
    return SolverStatus::ok;
}

void CvodesSubject::sort_points() {
    points_.clear();
    next_point_ = 0;
    for (std::size_t k = 0; k < problem_->sampled.size(); ++k)
        for (std::size_t i = 0; i < problem_->sampled[k].times.size(); ++i)
            points_.push_back({problem_->sampled[k].times[i],
                               static_cast<int>(k),
                               static_cast<int>(i),
                               problem_->sampled[k].output});
    std::stable_sort(points_.begin(),
                     points_.end(),
                     [](const SamplePoint& a, const SamplePoint& b) { return a.time < b.time; });
}

double CvodesSubject::next_point_time() const {
    return next_point_ < points_.size() ? points_[next_point_].time
                                        : std::numeric_limits<double>::infinity();
}

std::span<const SamplePoint> CvodesSubject::take_points(double time) {
    const std::size_t first = next_point_;
    while (next_point_time() <= time)
        ++next_point_;
    return std::span(points_).subspan(first, next_point_ - first);
}

void CvodesSubject::apply_due(double time) {
    for (; next_ < events_.all().size() && events_.all()[next_].time <= time; ++next_)
        doses_.apply(
            events_, events_.all()[next_], {columns_.data(), infusion_.data(), running_.data(), 1});
}

double CvodesSubject::next_stop() const {
    return next_ < events_.all().size() ? std::fmin(events_.all()[next_].time, end()) : end();
}

struct CvodesSensitivities::Parts {
    Parts(const OdeSystem& system, const std::vector<int>& wrt, const SolverOptions& options)
        : model(system, wrt, options),
          subject(model) {}
    CvodesModel model;
    CvodesSubject subject;
};

CvodesSensitivities::CvodesSensitivities(const OdeSystem& system,
                                         const std::vector<int>& wrt,
                                         const SolverOptions& options)
    : parts_(std::make_unique<Parts>(system, wrt, options)) {}
CvodesSensitivities::~CvodesSensitivities() = default;
CvodesSensitivities::CvodesSensitivities(CvodesSensitivities&&) noexcept = default;
CvodesSensitivities& CvodesSensitivities::operator=(CvodesSensitivities&&) noexcept = default;

SubjectSensitivities CvodesSensitivities::forward(const SubjectProblem& problem) {
    parts_->model.check(problem);
    return forward_sensitivities(parts_->model, parts_->subject, problem);
}

SubjectGradient CvodesSensitivities::adjoint(const SubjectProblem& problem,
                                             const Objective& objective) {
    parts_->model.check(problem);
    return adjoint_gradient(parts_->model, parts_->subject, problem, objective);
}

} // namespace gemel::sim
