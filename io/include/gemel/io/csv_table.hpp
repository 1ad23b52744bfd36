#pragma once

#include <gemel/sim/diagnostic.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// A CSV file read whole, with the place of every cell: comma or another separator, RFC 4180
/// quoting, UTF-8 with or without a byte order mark, LF or CR LF, a header row. Empty lines are
/// skipped.
namespace gemel::io {

struct CsvCell {
    std::string text; ///< without quotes and outer blanks
    sim::SourceSpan span;
};

struct CsvFormat {
    char separator = ','; ///< ' ': blanks and tabs, any number of them
    /// Lines after the header that begin with this are left out; "@": with a letter or @.
    std::string ignore = {};
    int n_lines_before = 0;           ///< left out at the beginning
    std::vector<CsvCell> header = {}; ///< of a file that has none
};

struct CsvTable {
    std::shared_ptr<const sim::SourceFile> file;
    std::vector<CsvCell> header;
    std::vector<std::vector<CsvCell>> rows; ///< each as long as the header
    std::size_t n_ignored = 0;              ///< lines that CsvFormat::ignore left out
};

/// The separator of a text by its first line that is not empty: the most frequent of comma,
/// semicolon and tab outside quotation marks; a comma if there is none.
char detect_separator(std::string_view text);

/// Mistakes (a row longer or shorter than the header, a column named twice, a quote left open) go
/// to diagnostics with their places; rows that are wrong are left out.
CsvTable parse_csv(std::shared_ptr<const sim::SourceFile> file,
                   sim::DiagnosticList& diagnostics,
                   const CsvFormat& format = {});

} // namespace gemel::io
