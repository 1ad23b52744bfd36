#pragma once

#include "error_law.hpp"
#include "fit_data.hpp"

#include <Eigen/Dense>

#include <span>
#include <vector>

namespace gemel::learners {

/// The numbers of a population model, as estimators need them.
struct PopulationPoint {
    std::vector<double> theta;    ///< [n_parameters] typical values
    Eigen::MatrixXd omega, pi;    ///< covariance of η, [n_eta²], and of κ, [n_kappa²]
    std::vector<ErrorLaw> errors; ///< [FitData::outputs]
};

/// The scale estimators search on: every point of it is a law. Typical values of log-normal
/// parameters by their logarithm, of logit ones by their logit, others as they are; of each group
/// of effects the Cholesky root with the logarithms of its diagonal (Pinheiro & Bates 1996, Stat
/// Comput 6:289–296); sds of errors by their logarithms.
class FitScale {
public:
    explicit FitScale(const FitData& data);

    enum class Kind { theta, root, error };
    enum class Transform { none, logarithm, logit };
    struct Coordinate {
        Kind kind = Kind::theta;
        std::size_t number = 0; ///< of FitSetup::numbers; of a root's the first of its group
        Transform transform = Transform::none;
        std::size_t parameter = 0;       ///< theta: the model's parameter
        std::size_t group = 0;           ///< root
        std::size_t row = 0, column = 0; ///< root: within the group
        std::size_t output = 0;          ///< error: of FitData::outputs
        ErrorNumber error = ErrorNumber::additive;
        double lower = 0.0, upper = 0.0; ///< on this scale
    };
    /// Effects that vary together.
    struct Group {
        pkpd::Level level = pkpd::Level::subject;
        std::vector<std::size_t> of; ///< rows of omega or pi
        bool is_fixed = false;
    };

    std::size_t size() const { return coordinates.size(); }
    /// As its number is called; of a root as its group's effects are.
    std::string name(std::size_t coordinate) const;
    std::vector<double> start() const;
    /// Where numbers stand, [size()] of [numbers.size()].
    std::vector<double> place(std::span<const double> values) const;
    /// Allocates nothing in a point that has been set before.
    void set_point(std::span<const double> at, PopulationPoint& point) const;
    PopulationPoint point(std::span<const double> at) const;
    /// Of a point, [size()].
    std::vector<double> place(const PopulationPoint& point) const;
    /// The numbers of a point, [numbers.size()].
    std::vector<double> values(const PopulationPoint& point) const;
    /// ∂values/∂place at a point, [numbers.size() × size()], by central differences.
    Eigen::MatrixXd jacobian(std::span<const double> at) const;
    /// ∂Ω (or ∂Π)/∂coordinate, a root's.
    void change_of_covariance(std::size_t coordinate,
                              std::span<const double> at,
                              Eigen::MatrixXd& change) const;
    Eigen::MatrixXd change_of_covariance(std::size_t coordinate,
                                         const PopulationPoint& point) const;

    std::vector<Coordinate> coordinates;
    std::vector<Group> groups;
    PopulationPoint fixed; ///< of the start; what is not estimated is taken from it

private:
    void add_theta(std::size_t number);
    void find_groups();
    void add_roots();
    void add_error(std::size_t number);
    const Eigen::MatrixXd& covariance(const PopulationPoint& point, pkpd::Level level) const {
        return level == pkpd::Level::subject ? point.omega : point.pi;
    }
    PopulationPoint point_of_values(std::span<const double> values) const;

    const FitData& data_;
};

double to_scale(FitScale::Transform transform, double value);
double from_scale(FitScale::Transform transform, double place);

} // namespace gemel::learners
