#pragma once

#include <gemel/pkpd/model.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

/// The numbers that say how patients and measurements vary, apart from the model, so that they may
/// differ from replicate to replicate; and their names.
namespace gemel::pkpd {

/// What one replicate is drawn by. Names, laws and groups are the model's; the numbers need not be.
struct PopulationLaws {
    std::vector<double> typical; ///< [n_parameters]; NaN for parameters that an expression gives
    std::vector<std::optional<Variability>> iiv, iov; ///< [n_parameters]
    std::vector<OmegaBlock> omega;
    std::vector<ResidualError> residual_errors; ///< [n_outputs]
    std::vector<ResidualCorrelation> residual_correlations;
    std::vector<std::vector<double>> proportions; ///< [n_covariates]; of mixtures, else empty

    const std::optional<Variability>& effect(Level level, std::size_t parameter) const {
        return (level == Level::subject ? iiv : iov)[parameter];
    }
};

/// The model's own.
PopulationLaws laws_of(const Model& model);

/// One of these numbers, which a calibration estimates and whose name says how it is read:
/// `CL`; `iiv.CL.sd`, `.var`, `.cv`, `.cv_approx` or `.scale`, likewise `iov.CL.…`, as in the
/// model; `iiv.CL.V.covariance` or `.correlation` of a group; `error.Cp.additive`,
/// `.proportional`, `.exponent` or `.sd`, or the squares of those that are sds,
/// `error.Cp.additive.var`; `error.Cp.E.correlation`; `mixture.ACETYLATION.slow`.
struct LawNumber {
    enum class Kind { typical, effect, pair, error, error_pair, proportion };
    enum class Reading { value, sd, var, cv, scale, covariance, correlation };
    enum class ErrorPart { additive, proportional, exponent, sd };

    std::string name;  ///< as it was written
    std::string about; ///< in words
    /// The name without its reading, pairs in the order of their group: of whom it is.
    std::string subject;
    Kind kind = Kind::typical;
    Reading reading = Reading::value;
    ErrorPart part = ErrorPart::additive;
    Level level = Level::subject;
    int first = 0;  ///< parameter, output or covariate
    int second = 0; ///< of a pair; the category of a proportion
    int group = -1; ///< of a pair or an effect: the OmegaBlock or ResidualCorrelation it is in
    sim::Unit unit;
};

/// @returns nothing after a mistake, told at `place`
std::optional<LawNumber> find_law_number(const Model& model,
                                         const std::string& name,
                                         const sim::SourceSpan& place,
                                         sim::DiagnosticList& diagnostics);

/// `subject` of every number that a model has.
std::vector<std::string> law_subjects(const Model& model);

double value_of(const PopulationLaws& laws, const LawNumber& number);

/// A number that makes no law: which one of those given, and what is wrong with it, "which …".
struct LawMistake {
    std::size_t number = 0;
    std::string why;
};

/// Puts values in their places. Of a group of effects whose covariances are not given the
/// correlations stay; a proportion that is not given is what the others leave.
/// @param values  [numbers.size()]
/// @returns what no patients or measurements could have; then the laws are of no use
std::vector<LawMistake> set_values(const Model& model,
                                   const std::vector<LawNumber>& numbers,
                                   std::span<const double> values,
                                   PopulationLaws& laws);

} // namespace gemel::pkpd
