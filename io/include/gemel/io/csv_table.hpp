#pragma once

#include <gemel/sim/diagnostic.hpp>

#include <memory>
#include <string>
#include <vector>

/// A CSV file read whole, with the place of every cell: comma, RFC 4180 quoting, UTF-8, LF or CR
/// LF, a header row. Empty lines are skipped.
namespace gemel::io {

struct CsvCell {
    std::string text; ///< without quotes and outer blanks
    sim::SourceSpan span;
};

struct CsvTable {
    std::shared_ptr<const sim::SourceFile> file;
    std::vector<CsvCell> header;
    std::vector<std::vector<CsvCell>> rows; ///< each as long as the header
};

/// Mistakes (a row longer or shorter than the header, a column named twice, a quote left open) go
/// to diagnostics with their places; rows that are wrong are left out.
CsvTable parse_csv(std::shared_ptr<const sim::SourceFile> file, sim::DiagnosticList& diagnostics);

} // namespace gemel::io
