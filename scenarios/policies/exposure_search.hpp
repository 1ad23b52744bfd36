#pragma once

#include <gemel/scenarios/outcome.hpp>
#include <gemel/sim/run.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

/// Amounts that bring an outcome of given patients to a value.
namespace gemel::scenarios {

/// An outcome of typical patients under doses that one column of inputs multiplies.
class TypicalExposure {
public:
    /// @param column  the input whose value multiplies doses; further inputs than the patients' own
    ///                are 0
    TypicalExposure(sim::OdeSystem system,
                    std::size_t column,
                    sim::Timeline timeline,
                    const BoundOutcome& outcome);

    /// @param patients  inputs of the model, one list per patient
    /// @param amounts   of the column, [patients]
    /// @returns [patients], NaN where the solve failed
    std::vector<double> operator()(const std::vector<std::vector<double>>& patients,
                                   const std::vector<double>& amounts) const;

private:
    std::size_t column_;
    double offset_;
    sim::CompiledSystem system_;
    std::unique_ptr<const sim::PreparedSolver> solver_;
    sim::ArmProblem arm_;
};

/// Looks for the amount of one patient whose exposure is the one aimed at: first the amount that
/// proportion asks for, which is right where the exposure is proportional to the dose; else wider
/// and wider until the aim lies between two amounts, then Illinois steps between their logarithms.
class AmountSearch {
public:
    AmountSearch(double usual, double aim) : usual_(usual), aim_(aim), next_(usual) {}

    bool is_done() const { return is_done_; }
    double next() const { return next_; }   ///< the amount to try
    double found() const { return found_; } ///< NaN where there is none
    void take(double exposure);             ///< of the amount `next`

private:
    void finish(double amount);
    void start(double x, double f, double exposure);
    void widen(double x, double f);
    void narrow(double x, double f);
    void interpolate();

    double usual_, aim_, next_;
    double x0_ = 0.0, f0_ = 0.0, x1_ = 0.0, f1_ = 0.0; ///< logarithms of amounts, what is missed
    double found_ = std::numeric_limits<double>::quiet_NaN();
    bool is_bracketed_ = false, is_done_ = false;
    int n_taken_ = 0;
};

/// Runs searches side by side, one per patient, until all are done.
void search_all(const TypicalExposure& exposure,
                const std::vector<std::vector<double>>& patients,
                std::vector<AmountSearch>& searches);

} // namespace gemel::scenarios
