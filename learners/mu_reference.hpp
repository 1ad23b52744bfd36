#pragma once

#include "fit_scale.hpp"
#include "predictor.hpp"

#include <Eigen/Dense>

#include <vector>

namespace gemel::learners {

/// Typical values that act through the centre of random effects alone: a change of them is a shift
/// of η, f(θ', η) = f(θ, η + μ(θ') − μ(θ)), so that predictions for given μ + η need no new solve
/// ("mu-referencing"). Found by trying it on the data's own subjects. Covariate coefficients may
/// be among them; μ need not be linear.
class MuReference {
public:
    MuReference(const FitData& data, const FitScale& scale, Predictor& predictor);

    /// [scale.size()] of typical values; false for all others.
    bool is_mu(std::size_t coordinate) const { return is_mu_[coordinate] != 0; }
    const std::vector<std::size_t>& mu() const { return mu_; } ///< coordinates
    const std::vector<std::size_t>& extra() const {
        return extra_;
    } ///< typical values that are none
    /// μ of a subject up to what does not change, [n_eta].
    void centre(std::span<const double> theta, std::size_t subject, double* mu) const;
    /// ∂μ/∂coordinate, [n_eta × mu().size()] at a place.
    void slope(std::span<const double> at,
               const PopulationPoint& point,
               std::size_t subject,
               Eigen::MatrixXd& slope) const;
    /// In words, for the notes of a fit; of nothing estimated: "".
    std::string text() const;

private:
    /// An individual parameter as steps of arithmetic; operands are earlier steps, 0: none.
    struct Step {
        sim::Op op = sim::Op::constant;
        std::uint32_t operands[3] = {};
        double constant = 0.0;
        InputPlace place; ///< of a leaf; a base's index is that of the input
    };
    /// Typical values, one of which may be another.
    struct Typical {
        std::span<const double> values;
        std::size_t moved = 0;
        double at = 0.0;
        double operator[](std::size_t i) const { return i == moved ? at : values[i]; }
    };
    std::vector<Step> steps_of(sim::Expr parameter) const;
    void find_affine(const std::vector<double>& start);
    void try_on_data(Predictor& predictor);
    double
    individual(const Typical& theta, std::size_t subject, std::size_t eta, double effect) const;
    double centre_of(const Typical& theta, std::size_t subject, std::size_t eta) const;
    void evaluate_centre(std::span<const double> theta, std::size_t subject, double* mu) const;

    const FitData& data_;
    const FitScale& scale_;
    std::vector<std::vector<Step>> parameters_; ///< [n_eta] individual parameters
    std::vector<char> is_mu_;
    std::vector<std::size_t> mu_, extra_;
    bool is_affine_ = false;
    std::vector<Eigen::MatrixXd> slopes_; ///< [n_subjects] where μ is affine
    std::vector<Eigen::VectorXd> offsets_;
};

} // namespace gemel::learners
