#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/model.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// What a calibration leaves open: typical values that differ from replicate to replicate of a
/// study. Theory manual: variability.md.
namespace gemel::pkpd {

/// Either a covariance, or a table of draws of which replicate r takes row r.
struct ParameterUncertainty {
    enum class Law {
        normal,   ///< value + error, covariance in the parameters' units
        lognormal ///< value·exp(error), covariance of logarithms
    };
    std::vector<int> of; ///< parameters with a typical value
    Law law = Law::normal;
    std::vector<double> covariance; ///< [n × n]; empty with draws
    std::vector<double> draws;      ///< [n × n_rows] in the parameters' units
    std::size_t n_rows = 0;
    std::string file_name; ///< in provenance, of draws
    std::filesystem::path path;
    std::shared_ptr<const sim::SourceFile> file;
};

/// Typical values of a replicate, [n_parameters]; NaN for parameters that an expression gives.
/// Purpose `uncertainty/CL`, subject 0.
/// @param uncertainty  nullptr: the model's own
std::vector<double> typical_values(const Model& model,
                                   const ParameterUncertainty* uncertainty,
                                   std::uint64_t seed,
                                   std::uint32_t replicate);

/// `[uncertainty]` as it was written.
struct UncertaintyWords {
    std::vector<std::string> of;
    sim::SourceSpan span, of_span, draws_span;
    int law = 0;
    io::TomlView covariance, rse;
    std::string draws;
};
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
