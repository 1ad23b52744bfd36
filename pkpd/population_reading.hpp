#pragma once

#include "population_words.hpp"

#include <gemel/pkpd/population.hpp>

#include <span>

/// The parts of `[population]`, read from their views. All report into one list and go on.
namespace gemel::pkpd {

/// Covariates, strata, correlations and ancestry into `population`, whose model is known.
/// @param layers   the study's word first, then the file it is like
/// @param library  for derived covariates
void read_strata(std::span<const LayerWords> layers,
                 const io::Library& library,
                 Population& population,
                 sim::DiagnosticList& diagnostics);

/// `ancestry = "EUR"`, `{ EUR = 0.4, EAS = 0.6 }` or `{ EUR = 0.4, urban = { share = 0.6, admixed =
/// { EUR = 0.5, SSA = 0.5 } } }` into groups, their proportions and their ancestors. The
/// population's covariates are known.
void read_ancestry(const io::TomlView& ancestry,
                   Population& population,
                   sim::DiagnosticList& diagnostics);

/// Shares of genomes that covariates hold are shares whoever is drawn in this stratum.
void check_personal_shares(const Population& population,
                           const Stratum& stratum,
                           std::size_t group,
                           const sim::SourceSpan& place,
                           sim::DiagnosticList& diagnostics);

/// @param stratum  "" for the population as a whole
void tell_missing_covariate(const Population& population,
                            const Covariate& covariate,
                            const std::string& stratum,
                            const sim::SourceSpan& place,
                            sim::DiagnosticList& diagnostics);

/// `genotypes = { CYP2C9 = …, … }`, in the order of the file; needs the ancestry.
/// @param files         where files of called genotypes are looked for
/// @param has_ancestry  the key stands in the file, right or wrong
void read_genotypes(const io::TomlView& genotypes,
                    const sim::SourceSpan& place,
                    const PopulationPlace& files,
                    bool has_ancestry,
                    Population& population,
                    sim::DiagnosticList& diagnostics);

/// Frequencies by ancestry are left open as far as those tested leave them.
/// @param place  of the key that says so
void make_frequencies_uncertain(const sim::SourceSpan& place,
                                Population& population,
                                sim::DiagnosticList& diagnostics);

/// `[[population.linked]]`: genes in the order of the file, each of which `population.genotypes`
/// has as linked. Frequencies by ancestry need the ancestry.
void read_linked(const std::vector<LinkedWords>& words,
                 bool has_ancestry,
                 Population& population,
                 sim::DiagnosticList& diagnostics);

/// Diplotypes that can be drawn must have a value in every map of their gene.
/// @param genotypes  for places
void check_maps_cover(const Population& population,
                      const io::TomlView& genotypes,
                      sim::DiagnosticList& diagnostics);

/// Published numbers are rounded: shares sum to 1 within 1e-6. NaN, a mistake told before, passes.
/// @param what  "shares of the strata" or the like
void check_sum_of_shares(double sum,
                         const std::string& what,
                         const sim::SourceSpan& place,
                         sim::DiagnosticList& diagnostics);

/// A table of names and probabilities that sum to 1, in the order of the file; empty after a
/// mistake. `what` is "allele frequencies" or the like.
std::vector<std::pair<std::string, double>> read_probabilities(const io::TomlView& table,
                                                               const std::string& what,
                                                               sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
