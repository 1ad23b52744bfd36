#include "derivatives.hpp"

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

/// Of a central difference of exact solutions, first and second alike: rounding of second
/// differences (2e-16/h²) and truncation of both (h²/6 and h²/12) are near 1e-8.
constexpr double exact_step = 1.5e-4;
/// Of a difference of sensitivities: errors of the solver (1e-8/h) against truncation (h²/6).
constexpr double stepped_step = 1e-3;
/// Of second differences of values with a solver's errors (1e-8/h²) against truncation (h²/12).
constexpr double noisy_step = 1e-2;

double slope_of(FitScale::Transform transform, double at) {
    if (transform == FitScale::Transform::logarithm) return std::exp(at);
    if (transform == FitScale::Transform::logit) {
        const double p = 1.0 / (1.0 + std::exp(-at));
        return p * (1.0 - p);
    }
    return 1.0;
}

} // namespace

Derivatives::Derivatives(const FitData& data,
                         const FitScale& scale,
                         const MuReference& mu,
                         Predictor& plain,
                         const FitExecution& execution)
    : data_(data),
      scale_(scale),
      mu_(mu),
      plain_(plain) {
    // The derivative by an occasion's effect is not that by the input, which all occasions share.
    if (!plain.has_steps() || data.n_kappa() > 0) return;
    std::vector<int> wrt;
    for (std::size_t e = 0; e < data.n_eta(); ++e)
        for (std::size_t i = 0; i < data.inputs.size(); ++i)
            if (data.inputs[i].kind == InputPlace::Kind::eta && data.inputs[i].index == e)
                wrt.push_back(static_cast<int>(i));
    for (const std::size_t k : mu.extra())
        for (std::size_t i = 0; i < data.inputs.size(); ++i)
            if (data.inputs[i].kind == InputPlace::Kind::theta &&
                data.inputs[i].index == scale.coordinates[k].parameter)
                wrt.push_back(static_cast<int>(i));
    if (wrt.size() == data.n_eta() + mu.extra().size())
        sensitive_ = std::make_unique<Predictor>(data, execution, wrt);
}

SolverCount Derivatives::count() const {
    return sensitive_ ? sensitive_->count() : SolverCount{};
}

std::size_t Derivatives::n_directions_of(const Request& request, std::size_t subject) const {
    return data_.subjects[subject].n_effects + (request.with_extra ? mu_.extra().size() : 0);
}

std::size_t Derivatives::n_tasks_of(const Request& request, std::size_t subject) const {
    const std::size_t n = n_directions_of(request, subject), b = data_.subjects[subject].n_effects;
    if (request.order == Order::value) return 1;
    if (is_symbolic()) return request.order == Order::first ? 1 : 1 + 2 * n;
    if (request.order == Order::first) return 1 + 2 * n;
    return 1 + 2 * n + b * (b - 1) + 2 * b * (n - b);
}

double
Derivatives::step(std::size_t subject, std::size_t direction, std::span<const double> at) const {
    const double size = !plain_.has_steps() ? exact_step
                        : is_symbolic()     ? stepped_step
                                            : noisy_step;
    const std::size_t b = data_.subjects[subject].n_effects;
    if (direction < b) return size * data_.effect_scale[data_.parameter_of_effect(direction)];
    const std::size_t k = mu_.extra()[direction - b];
    const bool is_plain = scale_.coordinates[k].transform == FitScale::Transform::none;
    return is_plain ? size * std::max(std::abs(at[k]), 1e-2) : size;
}

void Derivatives::set_task(std::size_t task,
                           std::size_t subject,
                           const double* effects,
                           const Shift& shift,
                           std::span<const double> at,
                           const PopulationPoint& point) {
    const std::size_t b = data_.subjects[subject].n_effects;
    task_subjects_[task] = subject;
    task_first_[task] = n_values_;
    n_values_ += data_.subjects[subject].measured.size();
    double* own_effects = task_effects_.data() + task * data_.max_effects;
    std::copy_n(effects, data_.max_effects, own_effects);
    double* theta = nullptr;
    if (!mu_.extra().empty()) {
        theta = task_theta_.data() + task * data_.n_parameters();
        std::ranges::copy(point.theta, theta);
    }
    if (shift.sign == 0.0) return;
    const auto move = [&](std::size_t direction) {
        const double by = shift.sign * step(subject, direction, at);
        if (direction < b) {
            own_effects[direction] += by;
            return;
        }
        const std::size_t k = mu_.extra()[direction - b];
        const FitScale::Coordinate& c = scale_.coordinates[k];
        theta[c.parameter] = from_scale(c.transform, at[k] + by);
    };
    move(shift.direction);
    if (shift.other != shift.direction) move(shift.other);
}

/// As if all subjects were asked for: the next request of this order may have more of them.
void Derivatives::reserve(const Request& request, Predictor& predictor) {
    std::size_t n_tasks = 0, n_values = 0;
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        const std::size_t n = n_tasks_of(request, s);
        n_tasks += n;
        n_values += n * data_.subjects[s].measured.size();
    }
    predictor.reserve(n_tasks);
    first_task_.reserve(data_.n_subjects());
    task_subjects_.reserve(n_tasks);
    task_first_.reserve(n_tasks);
    task_effects_.reserve(n_tasks * data_.max_effects);
    if (!mu_.extra().empty()) task_theta_.reserve(n_tasks * data_.n_parameters());
    values_.reserve(n_values * predictor.n_columns());
}

void Derivatives::plan(const Request& request,
                       std::span<const double> at,
                       const PopulationPoint& point) {
    std::size_t n_tasks = 0;
    first_task_.clear();
    for (const std::size_t subject : request.subjects) {
        first_task_.push_back(n_tasks);
        n_tasks += n_tasks_of(request, subject);
    }
    task_subjects_.resize(n_tasks);
    task_first_.resize(n_tasks);
    task_effects_.resize(n_tasks * data_.max_effects);
    task_theta_.resize(mu_.extra().empty() ? 0 : n_tasks * data_.n_parameters());
    n_values_ = 0;
    for (std::size_t i = 0, t = 0; i < request.subjects.size(); ++i) {
        const std::size_t subject = request.subjects[i], b = data_.subjects[subject].n_effects,
                          n = n_directions_of(request, subject);
        const double* effects = request.effects.data() + i * data_.max_effects;
        set_task(t++, subject, effects, {}, at, point);
        if (request.order == Order::value || (is_symbolic() && request.order == Order::first))
            continue;
        for (std::size_t k = 0; k < n; ++k)
            for (const double sign : {1.0, -1.0})
                set_task(t++, subject, effects, {k, k, sign}, at, point);
        if (is_symbolic() || request.order == Order::first) continue;
        for (std::size_t k = 0; k < b; ++k)
            for (std::size_t l = k + 1; l < n; ++l)
                for (const double sign : {1.0, -1.0})
                    set_task(t++, subject, effects, {k, l, sign}, at, point);
    }
}

void Derivatives::collect_differences(const Request& request,
                                      std::size_t which,
                                      std::span<const double> at,
                                      SubjectPredictions& out) const {
    const std::size_t subject = request.subjects[which], b = out.n_effects, n = out.n_directions,
                      m = data_.subjects[subject].measured.size(), first = first_task_[which];
    const auto value = [&](std::size_t task, std::size_t j) {
        return values_[task_first_[first + task] + j];
    };
    for (std::size_t j = 0; j < m; ++j)
        out.f(static_cast<Eigen::Index>(j)) = value(0, j);
    if (request.order == Order::value) return;
    for (std::size_t k = 0; k < n; ++k) {
        const double h = step(subject, k, at);
        for (std::size_t j = 0; j < m; ++j)
            out.first(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(k)) =
                (value(1 + 2 * k, j) - value(2 + 2 * k, j)) / (2.0 * h);
    }
    if (request.order == Order::first) return;
    std::size_t pair = 1 + 2 * n;
    for (std::size_t k = 0; k < b; ++k) {
        const double h = step(subject, k, at);
        for (std::size_t j = 0; j < m; ++j)
            out.second(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(k * n + k)) =
                (value(1 + 2 * k, j) - 2.0 * value(0, j) + value(2 + 2 * k, j)) / (h * h);
        for (std::size_t l = k + 1; l < n; ++l, pair += 2) {
            const double area = 2.0 * h * step(subject, l, at);
            for (std::size_t j = 0; j < m; ++j) {
                const double alone = value(1 + 2 * k, j) + value(2 + 2 * k, j) +
                                     value(1 + 2 * l, j) + value(2 + 2 * l, j);
                const double mixed =
                    (value(pair, j) + value(pair + 1, j) + 2.0 * value(0, j) - alone) / area;
                out.second(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(k * n + l)) =
                    mixed;
                if (l < b)
                    out.second(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(l * n + k)) =
                        mixed;
            }
        }
    }
}

void Derivatives::collect_sensitivities(const Request& request,
                                        std::size_t which,
                                        std::span<const double> at,
                                        SubjectPredictions& out) const {
    const std::size_t subject = request.subjects[which], b = out.n_effects, n = out.n_directions,
                      m = data_.subjects[subject].measured.size(), first = first_task_[which],
                      n_columns = sensitive_->n_columns();
    const auto value = [&](std::size_t task, std::size_t j, std::size_t column) {
        return values_[(task_first_[first + task] + j) * n_columns + column];
    };
    // ∂θ/∂place where the task stands.
    const auto factor = [&](std::size_t direction, double shift) {
        if (direction < b) return 1.0;
        const std::size_t k = mu_.extra()[direction - b];
        return slope_of(scale_.coordinates[k].transform, at[k] + shift);
    };
    for (std::size_t j = 0; j < m; ++j)
        out.f(static_cast<Eigen::Index>(j)) = value(0, j, 0);
    if (request.order == Order::value) return;
    for (std::size_t k = 0; k < n; ++k)
        for (std::size_t j = 0; j < m; ++j)
            out.first(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(k)) =
                value(0, j, 1 + k) * factor(k, 0.0);
    if (request.order == Order::first) return;
    for (std::size_t k = 0; k < b; ++k)
        for (std::size_t l = 0; l < n; ++l) {
            const double h = step(subject, k, at);
            for (std::size_t j = 0; j < m; ++j)
                out.second(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(k * n + l)) =
                    (value(1 + 2 * k, j, 1 + l) - value(2 + 2 * k, j, 1 + l)) * factor(l, 0.0) /
                    (2.0 * h);
        }
}

/// Of outputs whose error is logarithmic: (log f)' = f'/f, (log f)'' = f''/f − f'f'/f².
void Derivatives::take_logarithms(std::size_t subject, Order order, SubjectPredictions& out) const {
    const std::vector<Measurement>& measured = data_.subjects[subject].measured;
    for (std::size_t i = 0; i < measured.size(); ++i) {
        if (data_.is_logarithmic[measured[i].place] == 0) continue;
        const auto j = static_cast<Eigen::Index>(i);
        const double f = out.f(j);
        out.f(j) = std::log(f);
        if (order == Order::value) continue;
        out.first.row(j) /= f;
        if (order == Order::first) continue;
        for (std::size_t k = 0; k < out.n_effects; ++k)
            for (std::size_t l = 0; l < out.n_directions; ++l) {
                double& second = out.second(j, static_cast<Eigen::Index>(k * out.n_directions + l));
                second = second / f - out.first(j, static_cast<Eigen::Index>(k)) *
                                          out.first(j, static_cast<Eigen::Index>(l));
            }
    }
}

void Derivatives::evaluate(const Request& request,
                           std::span<const double> at,
                           const PopulationPoint& point,
                           std::vector<SubjectPredictions>& out) {
    const bool is_plain = !is_symbolic() || request.order == Order::value;
    Predictor& predictor = is_plain ? plain_ : *sensitive_;
    reserve(request, predictor);
    plan(request, at, point);
    values_.resize(n_values_ * predictor.n_columns());
    const std::span<const double> theta =
        mu_.extra().empty() ? std::span<const double>(point.theta) : task_theta_;
    predictor.predict({task_subjects_, theta, task_effects_, data_.max_effects, task_first_},
                      values_);
    for (std::size_t i = 0; i < request.subjects.size(); ++i) {
        const std::size_t subject = request.subjects[i];
        SubjectPredictions& of = out[subject];
        const auto m = static_cast<Eigen::Index>(data_.subjects[subject].measured.size());
        of.n_effects = data_.subjects[subject].n_effects;
        of.n_directions = n_directions_of(request, subject);
        of.f.resize(m);
        const auto n_first = static_cast<Eigen::Index>(of.n_directions),
                   n_second = static_cast<Eigen::Index>(of.n_effects * of.n_directions);
        if (request.order != Order::value) of.first.resize(m, std::max(n_first, of.first.cols()));
        if (request.order == Order::second)
            of.second.resize(m, std::max(n_second, of.second.cols()));
        if (is_plain)
            collect_differences(request, i, at, of);
        else
            collect_sensitivities(request, i, at, of);
        take_logarithms(subject, request.order, of);
        of.has_second = request.order == Order::second;
        of.is_finite = of.f.allFinite() &&
                       (request.order == Order::value || of.first.leftCols(n_first).allFinite()) &&
                       (request.order != Order::second || of.second.leftCols(n_second).allFinite());
    }
}

} // namespace gemel::learners
