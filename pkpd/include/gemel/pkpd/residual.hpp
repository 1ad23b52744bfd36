#pragma once

#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/population_laws.hpp>
#include <gemel/sim/random.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// From a model's value to what is measured: residual error, its correlations, and what a method
/// cannot quantify. Theory manual: residual_error.md.
namespace gemel::pkpd {

/// The sd of a measurement of `value`, in its unit; of law lognormal that of the logarithm.
double residual_sd(const ResidualError& error, double value);

/// What is measured where the model says each value, in place: value + sd(value)·score, or
/// value·exp(sd·score).
/// @param scores  numbers of the standard normal law, as many
void observe(const ResidualError& error, std::span<double> values, std::span<const double> scores);

/// What became of a measurement; its number stands in results.
enum class Censoring : std::uint8_t { quantified, below_limit, above_limit };

/// As data files write it: 1 below the limit, -1 above, 0 a value.
int cens_of(Censoring censoring);

/// A value beyond a limit of quantification is told as the limit. NaN stays NaN.
Censoring censor(const QuantificationLimits& limits, double& observed);

/// `lloq` and `uloq` of a table: each a number in `unit` or a quantity; what is not said stays.
void read_limits(const io::TomlView& lloq,
                 const io::TomlView& uloq,
                 const sim::Unit& unit,
                 QuantificationLimits& limits,
                 sim::DiagnosticList& diagnostics);

/// One measurement that is planned.
struct ResidualSample {
    int output = 0;
    double time = 0.0; ///< model time
};

/// The residual errors of a schedule of measurements, which may go together: those of outputs at
/// one time by the model's residual_correlation, those of an output by the time between them.
/// Invariant: the correlation of all scores is rooted once, for any number of subjects.
class ResidualLaw {
public:
    /// @param samples  of any outputs, those of each in rising order of time
    /// @param laws     of the replicate; nullptr: the model's own
    ResidualLaw(const Model& model,
                std::vector<ResidualSample> samples,
                const PopulationLaws* laws = nullptr);

    /// Scores of one subject, [n_samples]. A sample's own number is that of purpose `residual/CP`
    /// with index = its number among those of its output, so that a later sample, or one of another
    /// output that goes with no other, moves none.
    std::vector<double> scores(const sim::RandomStream::Key& key) const;

    /// @param values   of the model, [n_samples]; NaN stays NaN
    /// @param measured [n_samples]
    void observe(const sim::RandomStream::Key& key,
                 std::span<const double> values,
                 std::span<double> measured) const;

    /// The same of many subjects, [n_samples × n_subjects].
    std::vector<double> scores(const sim::RandomColumns& subjects) const;
    /// Values of the model become what is measured, in place, [n_samples × n_subjects].
    void observe(const sim::RandomColumns& subjects, std::span<double> values) const;

private:
    /// Samples whose scores go together, in order of time.
    struct Group {
        std::vector<std::size_t> samples;
        std::vector<double> lower; ///< root of their correlation, [n × n]
    };
    void add_group(const std::vector<int>& outputs, const std::vector<double>& correlation);
    void join(std::span<double> scores) const;
    void observe(std::span<const double> scores, std::span<double> values) const;

    std::vector<ResidualSample> samples_;
    std::vector<ResidualError> errors_;   ///< [n_outputs]
    std::vector<std::uint32_t> purposes_; ///< [n_samples]
    std::vector<std::uint32_t> indices_;  ///< [n_samples]
    std::vector<Group> groups_;           ///< samples in none stand alone
};

} // namespace gemel::pkpd
