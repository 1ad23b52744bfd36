#pragma once

#include <gemel/io/fields.hpp>
#include <gemel/pkpd/gene_table.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// Genotyping panels as data: which alleles a test tells apart, and what it reports for the others.
namespace gemel::pkpd {

/// A panel's view of one gene.
struct PanelGene {
    std::string gene;
    std::shared_ptr<const GeneTable> table;
    std::vector<std::string> tested; ///< alleles or variants, as the file names them
    std::vector<int> reads;          ///< [n_alleles] what is reported for each allele

    bool is_missed(int allele) const { return reads[static_cast<std::size_t>(allele)] != allele; }
    /// What is reported for a person. A deleted gene that is not tested for leaves the other
    /// chromosome's allele, which then looks as if it were there twice.
    Diplotype read(const Diplotype& diplotype) const;
};

struct Panel {
    std::string id; ///< file name without ending
    std::string name, about, source;
    std::filesystem::path path;
    std::shared_ptr<const sim::SourceFile> text;
    std::vector<PanelGene> genes; ///< in the order of the file

    const PanelGene* find(const std::string& gene) const;
};

/// @param library  for the genes
/// @returns nullptr after adding what is wrong to diagnostics
std::shared_ptr<const Panel> load_panel(const std::filesystem::path& file,
                                        const io::Library& library,
                                        sim::DiagnosticList& diagnostics);
void describe_panel_for_reference(io::Fields& fields);

} // namespace gemel::pkpd
