#pragma once

#include <gemel/io/fields.hpp>

#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

/// `[population]` as it was written, before it meets its model.
namespace gemel::pkpd {

struct CorrelationWords {
    std::vector<std::string> of;
    sim::SourceSpan span, of_span;
    std::string measure; ///< "kendall", "spearman" or "latent"
    io::TomlView matrix;
};

/// A column of a table of patients.
struct RowsColumn {
    std::string covariate, header, unit; ///< unit "": in the header
    sim::SourceSpan span;
};

/// `rows = { file, columns, weights, use }`
struct RowsWords {
    enum class Use { resample, carry, in_order };
    std::string file, weights;
    sim::SourceSpan span, file_span, weights_span;
    std::vector<RowsColumn> columns;
    Use use = Use::resample;

    bool gives(const std::string& covariate) const;
};

/// What a population says of everybody, and a stratum of its own.
struct PartWords {
    io::TomlView covariates, ancestry;
    std::vector<CorrelationWords> correlations;
    bool has_correlations = false; ///< the key stands there, be its list empty
    std::optional<RowsWords> rows;
};

struct StratumWords {
    std::string name;
    sim::SourceSpan span;
    double share = std::numeric_limits<double>::quiet_NaN(); ///< NaN after a mistake
    PartWords part;
};

/// One file's word on who the patients are.
struct LayerWords {
    sim::SourceSpan span;
    std::filesystem::path file; ///< that this stands in
    PartWords everybody;
    std::vector<StratumWords> strata;
};

/// `[[population.linked]]`
struct LinkedWords {
    sim::SourceSpan span, genes_span;
    std::vector<std::string> genes;
    io::TomlView haplotypes;
    std::int64_t subjects = 0;
};
void describe_linked(io::Fields& fields, LinkedWords& words);

void describe_layer(io::Fields& fields, LayerWords& layer);

} // namespace gemel::pkpd
