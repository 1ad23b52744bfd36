#include "fit_warnings.hpp"

#include "flip_flop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemel::learners {
namespace {

constexpr double vanished_sd = 0.01; ///< of a log-normal effect: 1 %
constexpr double much_shrinkage = 0.30;
constexpr double large_condition = 1000.0; ///< of the correlation of estimates
constexpr double largest_k_hat = 0.7;      ///< Vehtari et al. 2024

Eigen::Index of(std::size_t i) {
    return static_cast<Eigen::Index>(i);
}

class Warnings {
public:
    Warnings(FitEngine& engine, std::span<const double> at, const FitResult& result)
        : engine_(engine),
          data_(engine.data),
          point_(engine.scale.point(at)),
          at_(at),
          result_(result) {}

    std::vector<FitWarning> find(const ScaleCovariance& on_scale) {
        add_flip_flop();
        add_vanished_effects();
        add_vanished_errors();
        add_bounds();
        add_shrinkage();
        add_held();
        add_flat_directions(on_scale);
        add_likelihood();
        return std::move(warnings_);
    }

private:
    void add(std::string what, std::string help = {}) {
        warnings_.push_back({std::move(what), std::move(help)});
    }

    void add_flip_flop();
    void add_vanished_effects();
    void add_vanished_errors();
    void add_bounds();
    void add_shrinkage();
    void add_flat_directions(const ScaleCovariance& on_scale);
    void add_held();
    void add_likelihood();
    bool is_fixed(bool is_of_subject, std::size_t row) const;

    FitEngine& engine_;
    const FitData& data_;
    PopulationPoint point_;
    std::span<const double> at_;
    const FitResult& result_;
    std::vector<std::string> at_bounds_;
    std::vector<FitWarning> warnings_;
};

bool Warnings::is_fixed(bool is_of_subject, std::size_t row) const {
    return std::ranges::any_of(engine_.scale.groups, [&](const FitScale::Group& group) {
        return group.is_fixed && (group.level == pkpd::Level::subject) == is_of_subject &&
               std::ranges::count(group.of, row) > 0;
    });
}

void Warnings::add_flip_flop() {
    const std::optional<FlipFlop> found = find_flip_flop(data_, point_);
    if (!found) return;
    add(fmt::format("flip-flop kinetics: absorption ({:.3g} per {}) is slower than elimination "
                    "({:.3g}); the same curve may come from fast absorption and slow elimination",
                    found->absorption,
                    data_.model().system.time_unit.text,
                    found->elimination),
        "start absorption above elimination, or bound it; intravenous data would tell");
}

void Warnings::add_vanished_effects() {
    const auto tell = [&](const char* kind,
                          const std::vector<std::size_t>& effects,
                          const Eigen::MatrixXd& covariance) {
        for (std::size_t e = 0; e < effects.size(); ++e) {
            const double sd = std::sqrt(covariance(of(e), of(e))) / data_.effect_scale[effects[e]];
            if (sd < vanished_sd && !is_fixed(effects == data_.eta_parameters, e))
                add(fmt::format("the {} of {} went to 0 (sd {:.2g}): the data do not show that it "
                                "varies",
                                kind,
                                data_.model().parameters[effects[e]].name,
                                sd),
                    "leave it out");
        }
    };
    tell("variability between subjects", data_.eta_parameters, point_.omega);
    tell("variability between occasions", data_.kappa_parameters, point_.pi);
}

void Warnings::add_vanished_errors() {
    for (std::size_t k = 0; k < engine_.scale.size(); ++k) {
        const FitScale::Coordinate& c = engine_.scale.coordinates[k];
        if (c.kind != FitScale::Kind::error || c.error == ErrorNumber::exponent) continue;
        if (at_[k] > c.lower + 1.0) continue;
        add(fmt::format(
                "{} went to 0: measurements that the model meets exactly make the likelihood "
                "as large as one likes",
                data_.setup().numbers[c.number].law.name),
            "leave such rows out (a 0 before absorption is often a value below a limit), or fix "
            "it");
    }
}

void Warnings::add_bounds() {
    for (std::size_t k = 0; k < engine_.scale.size(); ++k) {
        const FitScale::Coordinate& c = engine_.scale.coordinates[k];
        if (c.kind != FitScale::Kind::theta) continue;
        const bool is_low = at_[k] <= c.lower + 1e-9;
        if (!is_low && at_[k] < c.upper - 1e-9) continue;
        at_bounds_.push_back(engine_.scale.name(k));
        const FitNumber& number = data_.setup().numbers[c.number];
        const bool is_whole = c.transform == FitScale::Transform::logit &&
                              (is_low ? number.lower <= 0.0 : number.upper >= 1.0);
        if (is_whole)
            add(fmt::format("{} went to {}: the data do not tell it from that",
                            number.law.name,
                            is_low ? "0" : "1"),
                "fix it there, and leave its variability out");
        else
            add(fmt::format(
                    "{} ended at its {} bound", number.law.name, is_low ? "lower" : "upper"),
                "widen the bound or fix it");
    }
}

void Warnings::add_shrinkage() {
    for (const Shrinkage& shrinkage : result_.shrinkage)
        if (shrinkage.sd > much_shrinkage)
            add(fmt::format("{} shrinks by {:.0f} %: individual estimates lean on the population's",
                            shrinkage.name,
                            100.0 * shrinkage.sd),
                "do not look for covariates or judge the model in plots of it");
}

/// But for values at their bounds, which are told by themselves.
void Warnings::add_held() {
    if (result_.uncertainties.empty()) return;
    std::string names;
    for (const std::string& name : result_.uncertainties.front().held)
        if (std::ranges::count(at_bounds_, name) == 0) names += (names.empty() ? "" : ", ") + name;
    if (!names.empty())
        add(fmt::format("the data say nothing of {} where the estimates are: held while the "
                        "standard errors of the others were found",
                        names),
            "fix them, or leave them out");
}

void Warnings::add_flat_directions(const ScaleCovariance& on_scale) {
    const Eigen::MatrixXd& covariance = on_scale.of;
    if (covariance.rows() == 0) {
        add("no standard errors: the information is singular at the estimates",
            "some numbers, or a combination of them, cannot be told by these data");
        return;
    }
    const auto in_order = [](Eigen::Index k) { return static_cast<std::size_t>(k); };
    const auto name_of = [&](Eigen::Index k) {
        return engine_.scale.name(static_cast<std::size_t>(on_scale.told[in_order(k)]));
    };
    const Eigen::VectorXd sds = covariance.diagonal().cwiseSqrt();
    const Eigen::MatrixXd correlation =
        sds.cwiseInverse().asDiagonal() * covariance * sds.cwiseInverse().asDiagonal();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved(correlation);
    const Eigen::VectorXd& values = solved.eigenvalues();
    if (values(values.size() - 1) / values(0) > large_condition) {
        std::string names;
        for (Eigen::Index k = 0; k < correlation.rows(); ++k)
            if (std::abs(solved.eigenvectors()(k, values.size() - 1)) > 0.3)
                names += (names.empty() ? "" : ", ") + name_of(k);
        add(fmt::format("the data tell a combination of {} hardly at all (condition number {:.3g})",
                        names,
                        values(values.size() - 1) / values(0)),
            "fix one of them, or take one away");
    }
    for (Eigen::Index k = 0; k < covariance.rows(); ++k) {
        const FitScale::Coordinate& c =
            engine_.scale.coordinates[static_cast<std::size_t>(on_scale.told[in_order(k)])];
        const bool is_relative = c.transform == FitScale::Transform::logarithm;
        if (c.kind == FitScale::Kind::theta && is_relative && sds(k) > 1.0)
            add(fmt::format("{} is hardly identified: its relative standard error is {:.0f} %",
                            name_of(k),
                            100.0 * sds(k)));
    }
}

void Warnings::add_likelihood() {
    if (result_.likelihoods.empty()) return;
    const Likelihood& likelihood = result_.likelihoods.front();
    std::string ids;
    std::size_t n = 0;
    for (std::size_t s = 0; s < likelihood.k_hat.size(); ++s) {
        if (!(likelihood.k_hat[s] > largest_k_hat)) continue;
        if (n++ < 5) ids += (ids.empty() ? "" : ", ") + data_.setup().data->subjects[s].id;
    }
    if (n > 0)
        add(fmt::format(
                "the likelihood of {} subject{} ({}{}) rests on few draws (k-hat above {:g})",
                n,
                n == 1 ? "" : "s",
                ids,
                n > 5 ? ", …" : "",
                largest_k_hat),
            "its error bar may be too short; ask for more draws");
}

} // namespace

std::vector<FitWarning> find_warnings(FitEngine& engine,
                                      std::span<const double> at,
                                      const FitResult& result,
                                      const ScaleCovariance& on_scale) {
    return Warnings(engine, at, result).find(on_scale);
}

} // namespace gemel::learners
