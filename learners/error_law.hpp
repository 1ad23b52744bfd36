#pragma once

#include "fit_data.hpp"

/// What a measurement says of a prediction: −log p(y | f) and its derivatives. Theory manual:
/// estimation.md.
namespace gemel::learners {

/// The residual error of a measured output, ready for many evaluations.
struct ErrorLaw {
    pkpd::ResidualError::Law law = pkpd::ResidualError::Law::none;
    double additive = 0.0, proportional = 0.0, exponent = 1.0; ///< additive: log_sd of lognormal

    bool is_logarithmic() const { return law == pkpd::ResidualError::Law::lognormal; }
    double sd(double f) const; ///< of lognormal that of the logarithm
};
ErrorLaw error_law(const pkpd::ResidualError& error);

/// The numbers of an error law, in one order everywhere.
enum class ErrorNumber { additive, proportional, exponent };
inline constexpr int n_error_numbers = 3;

/// How the sd of an error goes with the prediction.
struct ErrorSd {
    double s = 0.0, f = 0.0, ff = 0.0;                           ///< sd, its derivatives by f
    double by[n_error_numbers] = {}, f_by[n_error_numbers] = {}; ///< by the law's numbers
};
ErrorSd error_sd(const ErrorLaw& law, double f);

/// −log p(y | f), without ½·log 2π of values; +∞ where no such value can be.
/// @param f  of a logarithmic law its logarithm, and values and limits are logarithms too
double loss(const ErrorLaw& law, const Measurement& measured, double f);

/// The losses of a subject's measurements together, ready for many evaluations at one point.
class LossSum {
public:
    explicit LossSum(const FitData& data) : outputs_(data.outputs.size()) {}
    LossSum(const FitData& data, const std::vector<ErrorLaw>& errors) : LossSum(data) {
        set(errors);
    }
    void set(const std::vector<ErrorLaw>& errors);
    /// @param f  predictions of the subject's measurements, as solved; NaN gives +∞
    double operator()(const FitSubject& subject, const double* f) const;

private:
    struct Output {
        ErrorLaw law;
        bool is_power = false;
        double constant = 0.0, slope = 0.0,
               curve = 0.0; ///< variance: constant + slope·|f| + curve·f²
    };
    std::vector<Output> outputs_;
};

struct LossTerm {
    double loss = 0.0;
    double f = 0.0, ff = 0.0; ///< first and second derivative by f
    double info = 0.0;        ///< expected second derivative; of a censored one ff
    double info_f = 0.0;      ///< its derivative; of a value
    double by[n_error_numbers] = {}, f_by[n_error_numbers] = {}, info_by[n_error_numbers] = {};
};
/// LossTerm::by alone.
void loss_by_error(const ErrorLaw& law,
                   const Measurement& measured,
                   double f,
                   double (&by)[n_error_numbers]);
LossTerm loss_term(const ErrorLaw& law, const Measurement& measured, double f);

} // namespace gemel::learners
