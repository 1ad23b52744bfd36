#pragma once

#include <gemel/pkpd/population_laws.hpp>

#include <limits>
#include <span>
#include <vector>

/// The scale on which estimates are taken as normal, so that whatever is drawn there is a law
/// again: logarithms of sds and variances, the Cholesky root of a group's Ω with the logarithms of
/// its diagonal, Fisher's z of a correlation of errors, logarithms of ratios of proportions;
/// typical values and exponents as they are, unless they have bounds. Theory manual:
/// variability.md.
namespace gemel::pkpd {

struct Bounds {
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();

    bool has_lower() const { return lower > -std::numeric_limits<double>::infinity(); }
    bool has_upper() const { return upper < std::numeric_limits<double>::infinity(); }
};

/// Between which typical values lie: the bounds of the file, and above 0, or between 0 and 1, where
/// the law of variability asks for it, [n_parameters].
std::vector<Bounds> bounds_of_typical(const Model& model);

/// Where typical values are normal.
struct TypicalScale {
    bool are_logarithms = false; ///< and the covariance is that of their logarithms
    std::vector<Bounds> bounds;  ///< [n_parameters] that they keep; empty: none
};

class EstimateScale {
public:
    /// @param estimates  where the scale is taken from
    EstimateScale(PopulationLaws estimates, std::vector<LawNumber> numbers, TypicalScale typical);

    /// Estimates that have no place on it, or that do not say enough; else it is of no use.
    std::vector<LawMistake> mistakes() const;

    /// Of the numbers on this scale, by the delta method: J·C·Jᵀ.
    /// @param covariance  C, of the numbers themselves, [n × n]
    std::vector<double> moved(const std::vector<double>& covariance) const;

    /// The numbers whose places on the scale are those of the estimates and these errors, [n].
    std::vector<double> values_at(std::span<const double> errors) const;

private:
    enum class Place { as_is, logarithm, bounded, fisher, root, ratio };
    /// A group of effects all of whose covariances are given.
    struct Group {
        std::size_t omega = 0;
        std::vector<std::size_t> numbers; ///< [n × n] the lower triangle
        std::vector<double> root;         ///< of the estimate
    };
    /// A mixture: the category that is not given is what ratios are taken to.
    struct Mixture {
        std::size_t covariate = 0;
        std::vector<std::size_t> numbers; ///< [n_categories]
    };
    void add_group(std::size_t omega);
    void add_mixture(std::size_t covariate);
    bool is_rooted(int omega) const;
    std::vector<double> jacobian() const;
    void differentiate(const Group& group, std::vector<double>& jacobian) const;
    std::vector<double> change_of_covariance(const Group& group, std::size_t number) const;
    void tell_singles(std::vector<LawMistake>& mistakes) const;
    void tell_groups(std::vector<LawMistake>& mistakes) const;
    void tell_mixtures(std::vector<LawMistake>& mistakes) const;

    PopulationLaws estimates_;
    std::vector<LawNumber> numbers_;
    std::vector<double> values_; ///< [n] of the estimates
    std::vector<Place> places_;  ///< [n]
    std::vector<Bounds> bounds_; ///< [n] of what is bounded
    std::vector<char> is_moved_; ///< [n] the covariance is that of the number, not of its place
    std::vector<Group> groups_;
    std::vector<Mixture> mixtures_;
};

} // namespace gemel::pkpd
