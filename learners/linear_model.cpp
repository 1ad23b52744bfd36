#include "linear_model.hpp"

#include <limits>

namespace gemel::learners {
namespace {

Eigen::Index line(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

} // namespace

LinearModel::LinearModel(const FitData& data,
                         const FitScale& scale,
                         const MuReference& mu,
                         const Modes& modes)
    : data_(data),
      modes_(modes),
      chain_(data, scale, mu) {
    const std::size_t m = data.max_measured, b = data.max_effects;
    for (std::vector<double>* square : {&variance_, &weight_})
        square->reserve(m * m);
    for (std::vector<double>* by_effects : {&spread_, &load_, &product_})
        by_effects->reserve(m * b);
    for (std::vector<double>* errors : {&error_, &solved_})
        errors->reserve(m);
    square_.reserve(b * b);
}

void LinearModel::begin(std::span<const double> at,
                        const PopulationPoint& point,
                        const EffectPrior& prior) {
    point_ = &point;
    chain_.begin(at, point, prior);
}

void LinearModel::set_spread(std::size_t subject) {
    const Eigen::MatrixXd& slopes = first(subject);
    spread_.assign(m_ * b_, 0.0);
    const auto spread = [&](const Eigen::MatrixXd& covariance, std::size_t begin) {
        const auto n = static_cast<std::size_t>(covariance.rows());
        for (std::size_t k = 0; k < n; ++k)
            for (std::size_t l = 0; l < n; ++l)
                for (std::size_t j = 0; j < m_; ++j)
                    spread_[(begin + k) * m_ + j] +=
                        covariance(line(l), line(k)) * slopes(line(j), line(begin + l));
    };
    const std::size_t q = data_.n_eta(), r = data_.n_kappa();
    spread(point_->omega, 0);
    for (std::size_t o = 0; r > 0 && o < data_.subjects[subject].n_occasions; ++o)
        spread(point_->pi, q + o * r);
}

void LinearModel::set_variance(std::size_t subject) {
    const Eigen::MatrixXd& slopes = first(subject);
    variance_.assign(m_ * m_, 0.0);
    for (std::size_t k = 0; k < b_; ++k)
        for (std::size_t j = 0; j < m_; ++j) {
            const double of_j = spread_[k * m_ + j];
            for (std::size_t i = j; i < m_; ++i)
                variance_[j * m_ + i] += slopes(line(i), line(k)) * of_j;
        }
    for (std::size_t j = 0; j < m_; ++j) {
        const double s = modes_.typical_sds[subject][j].s;
        variance_[j * m_ + j] += s * s;
    }
}

double LinearModel::value(std::size_t subject) {
    const FitSubject& of = data_.subjects[subject];
    m_ = of.measured.size();
    b_ = of.n_effects;
    set_spread(subject);
    set_variance(subject);
    if (!root_.factor(variance_.data(), m_)) return std::numeric_limits<double>::infinity();
    error_.resize(m_);
    for (std::size_t i = 0; i < m_; ++i)
        error_[i] = of.measured[i].value - modes_.predictions[subject].f(line(i));
    root_.solve_lower(error_.data());
    double square = 0.0;
    for (const double e : error_)
        square += e * e;
    return root_.log_determinant() + square;
}

void LinearModel::set_weight() {
    solved_ = error_;
    root_.solve_upper(solved_.data());
    weight_.resize(m_ * m_);
    root_.invert(weight_.data());
    for (std::size_t j = 0; j < m_; ++j)
        for (std::size_t i = 0; i < m_; ++i)
            weight_[j * m_ + i] -= solved_[i] * solved_[j];
}

void LinearModel::set_loads(std::size_t subject) {
    const Eigen::MatrixXd& slopes = first(subject);
    load_.assign(m_ * b_, 0.0);
    product_.assign(b_ * m_, 0.0);
    for (std::size_t k = 0; k < b_; ++k)
        for (std::size_t j = 0; j < m_; ++j)
            for (std::size_t i = 0; i < m_; ++i) {
                load_[k * m_ + i] += weight_[j * m_ + i] * spread_[k * m_ + j];
                product_[k * m_ + i] += weight_[j * m_ + i] * slopes(line(j), line(k));
            }
    square_.assign(b_ * b_, 0.0);
    for (std::size_t k = 0; k < b_; ++k)
        for (std::size_t l = 0; l < b_; ++l)
            for (std::size_t j = 0; j < m_; ++j)
                square_[k * b_ + l] += product_[k * m_ + j] * slopes(line(j), line(l));
}

double LinearModel::of_direction(std::size_t subject, std::size_t direction) const {
    const SubjectPredictions& p = modes_.predictions[subject];
    double sum = 0.0;
    for (std::size_t j = 0; j < m_; ++j) {
        const ErrorSd& sd = modes_.typical_sds[subject][j];
        sum += (weight_[j * m_ + j] * sd.s * sd.f - solved_[j]) * p.first(line(j), line(direction));
    }
    for (std::size_t k = 0; k < b_; ++k)
        for (std::size_t j = 0; j < m_; ++j)
            sum += load_[k * m_ + j] * p.second(line(j), line(k * p.n_directions + direction));
    return 2.0 * sum;
}

double LinearModel::of_root(const PriorChange& change, std::size_t n_occasions) const {
    const std::size_t q = data_.n_eta(), width = change.is_subject ? q : data_.n_kappa();
    double sum = 0.0;
    for (std::size_t o = 0; o < (change.is_subject ? 1 : n_occasions); ++o) {
        const std::size_t first = change.is_subject ? 0 : q + o * width;
        for (std::size_t k = 0; k < width; ++k)
            for (std::size_t l = 0; l < width; ++l)
                sum +=
                    square_[(first + k) * b_ + first + l] * change.of_covariance(line(k), line(l));
    }
    return sum;
}

double LinearModel::of_error(std::size_t subject, const FitScale::Coordinate& c) const {
    double sum = 0.0;
    for (std::size_t j = 0; j < m_; ++j) {
        if (data_.subjects[subject].measured[j].place != c.output) continue;
        const ErrorSd& sd = modes_.typical_sds[subject][j];
        sum += 2.0 * weight_[j * m_ + j] * sd.s * sd.by[static_cast<std::size_t>(c.error)];
    }
    return sum;
}

void LinearModel::set_gradient(std::size_t subject, double* gradient) {
    value(subject);
    set_weight();
    set_loads(subject);
    chain_.add_up(
        subject,
        [&](std::size_t direction) { return of_direction(subject, direction); },
        [&](const PriorChange& change) {
            return of_root(change, data_.subjects[subject].n_occasions);
        },
        [&](const FitScale::Coordinate& c) { return of_error(subject, c); },
        gradient);
}

} // namespace gemel::learners
