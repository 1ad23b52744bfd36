#pragma once

#include <gemel/io/resources.hpp>
#include <gemel/pkpd/dose_equation.hpp>
#include <gemel/pkpd/model.hpp>
#include <gemel/pkpd/recommendation.hpp>

#include <memory>
#include <string>
#include <vector>

namespace gemel::scenarios {

/// What the library has about a drug.
struct DrugSources {
    std::shared_ptr<const pkpd::DrugRecommendations> recommendations; ///< nullptr: none
    std::vector<std::shared_ptr<const pkpd::DoseEquation>> equations;
    std::vector<std::shared_ptr<const pkpd::Model>> models; ///< with maps of genes

    bool is_empty() const { return !recommendations && equations.empty() && models.empty(); }
    /// Genes that any of them ask, with their files, by name.
    std::map<std::string, std::shared_ptr<const pkpd::GeneTable>> genes() const;
};

DrugSources
sources_of(const std::string& drug, const io::Library& library, sim::DiagnosticList& diagnostics);

} // namespace gemel::scenarios
