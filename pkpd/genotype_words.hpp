#pragma once

#include <gemel/pkpd/genotype_call.hpp>

/// What files of calls have in common.
namespace gemel::pkpd {

/// "", "NA", "no call", "Unknown/Unknown", … where no diplotype was called
bool is_no_call(const std::string& diplotype);

/// The gene of this name to read; nothing where it is passed over, and after a mistake.
std::optional<std::size_t> gene_to_read(const std::string& name,
                                        const sim::SourceSpan& place,
                                        const CallReading& reading,
                                        sim::DiagnosticList& diagnostics);

/// A candidate of probability 1, by a diplotype's text; nothing (and `why`) if not understood.
std::optional<CallCandidate>
parse_candidate(const GeneTable& gene, const std::string& diplotype, std::string& why);

} // namespace gemel::pkpd
