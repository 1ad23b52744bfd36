#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/population_laws.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What a calibration leaves open: typical values, variances, residual errors and proportions that
/// differ from replicate to replicate of a study. Theory manual: variability.md.
namespace gemel::pkpd {

class EstimateScale;

/// A covariance of estimates, or a table of draws of which replicate r takes row r; and groups of
/// effects whose covariance is of an inverse Wishart law.
struct ParameterUncertainty {
    enum class Law {
        normal,   ///< typical value + error, covariance in the parameters' units
        lognormal, ///< typical value·exp(error), covariance of logarithms
        /// Covariance in the parameters' units. A typical value that has bounds, of the model's
        /// file or its law of variability, is normal where it has none: the logarithm of its
        /// distance from one, the logit between two.
        bounded
    };
    /// First those of the covariance or the table, then those of the groups, by the lower triangle.
    std::vector<LawNumber> numbers;
    std::size_t n_joint = 0; ///< of the covariance or the table
    Law law = Law::normal;

    std::shared_ptr<const EstimateScale> scale; ///< of a covariance: where estimates are normal
    std::vector<double> root;                   ///< of the covariance there, [n_joint × n_joint]

    std::vector<double> draws; ///< [n_joint × n_rows] in the numbers' units
    std::size_t n_rows = 0;
    std::string file_name; ///< in provenance, of draws
    std::filesystem::path path;
    std::shared_ptr<const sim::SourceFile> file;

    /// Ω of a replicate is of law inverse Wishart(df, df·Ω̂).
    struct Wishart {
        OmegaBlock estimate;
        double df = 0.0;
    };
    std::vector<Wishart> groups;
};

/// The values of all numbers in a replicate, [numbers.size()]. Purposes `uncertainty/CL`,
/// `uncertainty/iiv.CL`, …: LawNumber::subject; subject 0.
std::vector<double> uncertain_values(const ParameterUncertainty& uncertainty,
                                     std::uint64_t seed,
                                     std::uint32_t replicate);

/// What a replicate is drawn by; nothing without uncertainty: the model's own laws.
std::optional<PopulationLaws> laws_of_replicate(const Model& model,
                                                const ParameterUncertainty* uncertainty,
                                                std::uint64_t seed,
                                                std::uint32_t replicate);

/// `[uncertainty]` as it was written.
struct UncertaintyWords {
    struct Omega {
        std::vector<std::string> of;
        sim::SourceSpan span, of_span;
        Level level = Level::subject;
        double df = 0.0, rse = 0.0; ///< one of the two
    };
    std::vector<std::string> of;
    sim::SourceSpan span, of_span, draws_span;
    bool is_of_model = false; ///< from = "model": what the model's file says
    int law = 0;
    io::TomlView covariance, rse, columns;
    std::string draws;
    std::vector<Omega> omega;
};
/// Of a study, or of a model, whose own it is.
void describe_uncertainty(io::Fields& fields, UncertaintyWords& words);

/// Mistakes: names, shapes and files; and any replicate whose values no patient could have, told
/// at load since every draw is known then.
/// @param study  where files are looked for
/// @returns nullptr after a mistake
std::shared_ptr<const ParameterUncertainty> read_uncertainty(const UncertaintyWords& words,
                                                             const Model& model,
                                                             const std::filesystem::path& study,
                                                             std::uint64_t seed,
                                                             std::uint32_t n_replicates,
                                                             sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
