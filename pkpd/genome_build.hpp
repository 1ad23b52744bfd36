#pragma once

#include <gemel/io/variants.hpp>
#include <gemel/sim/diagnostic.hpp>

/// Whether a file of variants is on the genome that genes are defined on.
namespace gemel::pkpd {

/// By the lengths of the header's contigs, or else by the words of its lines.
/// @returns whether the header says that it is GRCh38; what says otherwise is told
bool header_says_grch38(const io::VariantFile& file,
                        const sim::SourceSpan& place,
                        sim::DiagnosticList& diagnostics);

} // namespace gemel::pkpd
