#include "mu_reference.hpp"

#include <gemel/sim/assert.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

constexpr std::size_t most_tried_subjects = 24;
constexpr double tried_change = 0.2; ///< of a typical value, on its scale

/// A number between −1 and 1 that is the same in every run.
double mixed(std::size_t i) {
    const double x = 0.6180339887498949 * static_cast<double>(i + 1);
    return 2.0 * (x - std::floor(x)) - 1.0;
}

const sim::NamedExpr* find_named(const std::vector<sim::NamedExpr>& list, const std::string& name) {
    const auto found = std::ranges::find(list, name, &sim::NamedExpr::name);
    return found == list.end() ? nullptr : &*found;
}

double change_of(const FitScale::Coordinate& coordinate, double at) {
    const bool is_plain = coordinate.transform == FitScale::Transform::none;
    const double change = is_plain ? tried_change * std::max(std::abs(at), 0.1) : tried_change;
    return at + change > coordinate.upper ? -change : change;
}

} // namespace

MuReference::MuReference(const FitData& data, const FitScale& scale, Predictor& predictor)
    : data_(data),
      scale_(scale),
      is_mu_(scale.size(), 0) {
    for (const std::size_t p : data.eta_parameters) {
        const sim::NamedExpr* named =
            find_named(data.model().system.parameters, data.model().parameters[p].name);
        GEMEL_ASSERT(named != nullptr, "a parameter with an effect is one of the system's");
        parameters_.push_back(steps_of(named->value));
    }
    try_on_data(predictor);
    find_affine(scale.start());
}

std::vector<MuReference::Step> MuReference::steps_of(sim::Expr parameter) const {
    const sim::ExpressionGraph& graph = data_.model().system.graph;
    std::vector<char> is_needed(parameter.id + 1, 0);
    is_needed[parameter.id] = 1;
    for (std::uint32_t i = parameter.id + 1; i-- > 0;)
        for (const sim::Expr operand : {graph.node({i}).a, graph.node({i}).b, graph.node({i}).c})
            if (is_needed[i] != 0 && operand.is_set()) is_needed[operand.id] = 1;
    std::vector<Step> steps;
    std::vector<std::uint32_t> step_of(parameter.id + 1, 0);
    for (std::uint32_t i = 0; i <= parameter.id; ++i) {
        if (is_needed[i] == 0) continue;
        const sim::Node& node = graph.node({i});
        Step& step = steps.emplace_back();
        step_of[i] = static_cast<std::uint32_t>(steps.size());
        step.op = node.op;
        step.constant = node.op == sim::Op::constant ? node.value : 0.0;
        if (node.op == sim::Op::leaf && node.leaf.kind == sim::LeafKind::input) {
            const auto input = static_cast<std::size_t>(node.leaf.index);
            step.place = data_.inputs[input];
            if (step.place.kind == InputPlace::Kind::base) step.place.index = input;
        } else if (node.op == sim::Op::leaf) {
            step.op = sim::Op::constant; // times and states are 0
        }
        for (int k = 0; k < 3; ++k) {
            const sim::Expr operand = k == 0 ? node.a : k == 1 ? node.b : node.c;
            if (operand.is_set()) step.operands[k] = step_of[operand.id];
        }
    }
    return steps;
}

double MuReference::individual(const Typical& theta,
                               std::size_t subject,
                               std::size_t eta,
                               double effect) const {
    constexpr std::size_t most_kept = 512; // steps of a parameter that need no heap
    const std::vector<Step>& steps = parameters_[eta];
    const double* base = data_.base.data() + data_.subjects[subject].first_row * data_.n_inputs();
    double kept[most_kept];
    std::vector<double> many(steps.size() < most_kept ? 0 : steps.size() + 1);
    double* values = many.empty() ? kept : many.data();
    values[0] = 0.0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Step& step = steps[i];
        double& value = values[i + 1];
        if (step.op == sim::Op::constant)
            value = step.constant;
        else if (step.op != sim::Op::leaf)
            value = sim::apply(step.op,
                               values[step.operands[0]],
                               values[step.operands[1]],
                               values[step.operands[2]]);
        else if (step.place.kind == InputPlace::Kind::theta)
            value = theta[step.place.index];
        else if (step.place.kind == InputPlace::Kind::eta)
            value = step.place.index == eta ? effect : 0.0;
        else
            value = step.place.kind == InputPlace::Kind::base ? base[step.place.index] : 0.0;
    }
    return values[steps.size()];
}

/// On the scale on which η adds; a covariate's factor falls out of the laws normal and logit.
double MuReference::centre_of(const Typical& theta, std::size_t subject, std::size_t eta) const {
    const pkpd::VariabilityLaw law = data_.model().parameters[data_.eta_parameters[eta]].iiv->law;
    const double typical = individual(theta, subject, eta, 0.0);
    if (law == pkpd::VariabilityLaw::normal)
        return typical / (individual(theta, subject, eta, 1.0) - typical);
    if (law == pkpd::VariabilityLaw::logit) {
        const double whole = individual(theta, subject, eta, 40.0), part = typical / whole;
        return std::log(part / (1.0 - part));
    }
    return std::log(typical);
}

void MuReference::evaluate_centre(std::span<const double> theta,
                                  std::size_t subject,
                                  double* mu) const {
    const Typical typical{theta, theta.size(), 0.0};
    for (std::size_t e = 0; e < data_.n_eta(); ++e)
        mu[e] = centre_of(typical, subject, e);
}

void MuReference::centre(std::span<const double> theta, std::size_t subject, double* mu) const {
    if (!is_affine_) return evaluate_centre(theta, subject, mu);
    const Eigen::MatrixXd& slope = slopes_[subject];
    for (Eigen::Index e = 0; e < slope.rows(); ++e) {
        mu[e] = offsets_[subject](e);
        for (std::size_t k = 0; k < mu_.size(); ++k) {
            const FitScale::Coordinate& c = scale_.coordinates[mu_[k]];
            mu[e] +=
                slope(e, static_cast<Eigen::Index>(k)) * to_scale(c.transform, theta[c.parameter]);
        }
    }
}

void MuReference::slope(std::span<const double> at,
                        const PopulationPoint& point,
                        std::size_t subject,
                        Eigen::MatrixXd& slope) const {
    if (is_affine_) {
        slope = slopes_[subject];
        return;
    }
    constexpr double step = 1e-5;
    slope.resize(static_cast<Eigen::Index>(data_.n_eta()), static_cast<Eigen::Index>(mu_.size()));
    for (std::size_t k = 0; k < mu_.size(); ++k) {
        const FitScale::Coordinate& c = scale_.coordinates[mu_[k]];
        const double size = step * std::max(1.0, std::abs(at[mu_[k]]));
        const Typical up{point.theta, c.parameter, from_scale(c.transform, at[mu_[k]] + size)},
            down{point.theta, c.parameter, from_scale(c.transform, at[mu_[k]] - size)};
        for (std::size_t e = 0; e < data_.n_eta(); ++e)
            slope(static_cast<Eigen::Index>(e), static_cast<Eigen::Index>(k)) =
                (centre_of(up, subject, e) - centre_of(down, subject, e)) / (2.0 * size);
    }
}

/// Whether f(θ', η) = f(θ, η + Δμ), coordinate by coordinate, in the data's first subjects.
void MuReference::try_on_data(Predictor& predictor) {
    const std::vector<double> start = scale_.start();
    const PopulationPoint point = scale_.point(start);
    const std::size_t n = std::min(data_.n_subjects(), most_tried_subjects), d = data_.max_effects;
    std::vector<std::size_t> subjects, first;
    std::size_t n_values = 0;
    for (std::size_t s = 0; s < n; ++s) {
        subjects.push_back(s);
        first.push_back(n_values);
        n_values += data_.subjects[s].measured.size();
    }
    std::vector<double> plain(n_values), moved(n_values), effects(n * d), shifted(n * d);
    for (std::size_t s = 0; s < n; ++s)
        for (std::size_t e = 0; e < data_.subjects[s].n_effects; ++e)
            effects[s * d + e] = 0.3 * mixed(s * d + e);
    const double tolerance = predictor.has_steps() ? 1e-5 : 1e-9;
    for (std::size_t k = 0; k < scale_.size(); ++k) {
        const FitScale::Coordinate& c = scale_.coordinates[k];
        if (c.kind != FitScale::Kind::theta) continue;
        PopulationPoint other = point;
        other.theta[c.parameter] = from_scale(c.transform, start[k] + change_of(c, start[k]));
        shifted = effects;
        std::vector<double> before(data_.n_eta()), after(data_.n_eta());
        bool is_moved = false, is_same = true;
        for (std::size_t s = 0; s < n; ++s) {
            evaluate_centre(point.theta, s, before.data());
            evaluate_centre(other.theta, s, after.data());
            for (std::size_t e = 0; e < data_.n_eta(); ++e) {
                shifted[s * d + e] += after[e] - before[e];
                is_moved = is_moved || after[e] != before[e];
                is_same = is_same && std::isfinite(after[e]);
            }
        }
        if (is_moved && is_same) {
            predictor.predict({subjects, other.theta, effects, d, first}, moved);
            predictor.predict({subjects, point.theta, shifted, d, first}, plain);
            const double scale = std::abs(*std::ranges::max_element(
                plain, {}, [](double f) { return std::isfinite(f) ? std::abs(f) : 0.0; }));
            for (std::size_t i = 0; i < n_values; ++i)
                is_same = is_same && (plain[i] == moved[i] ||
                                      std::abs(plain[i] - moved[i]) <=
                                          tolerance * (std::abs(plain[i]) + 1e-3 * scale) ||
                                      (std::isnan(plain[i]) && std::isnan(moved[i])));
        }
        is_mu_[k] = is_moved && is_same;
        (is_mu_[k] != 0 ? mu_ : extra_).push_back(k);
    }
}

/// Where μ is a straight line in all its coordinates together, its slopes are kept.
void MuReference::find_affine(const std::vector<double>& start) {
    PopulationPoint point = scale_.point(start);
    const auto n_eta = static_cast<Eigen::Index>(data_.n_eta());
    std::vector<double> mu(data_.n_eta());
    bool is_affine = true;
    for (std::size_t s = 0; s < data_.n_subjects(); ++s) {
        Eigen::MatrixXd slope_here;
        slope(start, point, s, slope_here);
        for (Eigen::Index i = 0; i < slope_here.size(); ++i) // rounding of the differences
            if (std::abs(slope_here.data()[i] - std::round(slope_here.data()[i])) < 1e-8)
                slope_here.data()[i] = std::round(slope_here.data()[i]);
        evaluate_centre(point.theta, s, mu.data());
        Eigen::VectorXd offset(n_eta);
        for (Eigen::Index e = 0; e < n_eta; ++e) {
            offset(e) = mu[static_cast<std::size_t>(e)];
            for (std::size_t k = 0; k < mu_.size(); ++k)
                offset(e) -= slope_here(e, static_cast<Eigen::Index>(k)) * start[mu_[k]];
        }
        for (std::size_t trial = 0; trial < 2 && is_affine; ++trial) {
            std::vector<double> at = start;
            for (std::size_t k = 0; k < mu_.size(); ++k)
                at[mu_[k]] += 0.4 * mixed(7 * trial + k) * std::max(0.1, std::abs(at[mu_[k]]));
            scale_.set_point(at, point);
            evaluate_centre(point.theta, s, mu.data());
            for (Eigen::Index e = 0; e < n_eta; ++e) {
                double expected = offset(e);
                for (std::size_t k = 0; k < mu_.size(); ++k)
                    expected += slope_here(e, static_cast<Eigen::Index>(k)) * at[mu_[k]];
                is_affine = is_affine && std::abs(expected - mu[static_cast<std::size_t>(e)]) <=
                                             1e-7 * (1.0 + std::abs(expected));
            }
            scale_.set_point(start, point);
        }
        slopes_.push_back(std::move(slope_here));
        offsets_.push_back(std::move(offset));
    }
    is_affine_ = is_affine;
}

std::string MuReference::text() const {
    const auto names = [&](const std::vector<std::size_t>& list) {
        std::string text;
        for (const std::size_t k : list)
            text += (text.empty() ? "" : ", ") +
                    data_.model().parameters[scale_.coordinates[k].parameter].name;
        return text;
    };
    std::string text;
    if (!mu_.empty()) text += fmt::format("mu-referenced: {}", names(mu_));
    if (!extra_.empty())
        text += fmt::format(
            "{}not mu-referenced, found directly: {}", text.empty() ? "" : "; ", names(extra_));
    return text;
}

} // namespace gemel::learners
