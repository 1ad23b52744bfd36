#include "toml/utf8.hpp"

#include <gemel/io/csv_table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace gemel::io {
namespace {

/// Walks a text cell by cell; lines and columns count from 1, columns in code points.
class CsvReader {
public:
    CsvReader(std::shared_ptr<const sim::SourceFile> file,
              sim::DiagnosticList& diagnostics,
              char separator)
        : file_(std::move(file)),
          text_(file_->text),
          diagnostics_(diagnostics),
          separator_(separator) {
        if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3; // a byte order mark
    }

    bool has_open_quote() const { return has_open_quote_; }
    bool is_at_end() const { return at_ >= text_.size(); }

    /// The cells of the next line; of an empty one, none.
    std::vector<CsvCell> row() {
        std::vector<CsvCell> cells;
        if (is_separated_by_blanks()) skip_blanks();
        if (end_line()) return cells;
        for (;;) {
            cells.push_back(cell());
            if (is_separated_by_blanks()) skip_blanks();
            if (is_at_end() || end_line()) return cells;
            if (!is_separated_by_blanks()) step(); // the separator
        }
    }

    bool begins_with(const std::string& mark) const {
        if (mark.empty() || is_at_end()) return false;
        const char c = text_[at_];
        if (mark == "@") return c == '@' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        return text_.substr(at_).starts_with(mark);
    }

    void skip_line() {
        while (!end_line())
            step();
    }

private:
    void step() {
        // Bytes 10xxxxxx go on with a code point.
        if ((static_cast<unsigned char>(text_[at_]) & 0xC0u) != 0x80u) ++column_;
        if (text_[at_] == '\n') {
            ++line_;
            column_ = 1;
        }
        ++at_;
    }

    bool end_line() {
        const bool is_crlf = text_.substr(at_, 2) == "\r\n";
        if (!is_crlf && !is_at_end() && text_[at_] != '\n') return false;
        if (is_crlf) step();
        if (!is_at_end()) step();
        return true;
    }

    bool is_separated_by_blanks() const { return separator_ == ' '; }

    bool is_blank() const { return text_[at_] == ' ' || text_[at_] == '\t'; }

    bool is_separator() const {
        return is_separated_by_blanks() ? is_blank() : text_[at_] == separator_;
    }

    void skip_blanks() {
        while (!is_at_end() && is_blank() && (is_separated_by_blanks() || !is_separator()))
            step();
    }

    CsvCell cell() {
        skip_blanks();
        CsvCell cell;
        cell.span = {file_, line_, column_, 1};
        if (!is_at_end() && text_[at_] == '"')
            quoted(cell);
        else
            bare(cell);
        return cell;
    }

    void bare(CsvCell& cell) {
        while (!is_at_end() && !is_separator() && text_[at_] != '\n' &&
               text_.substr(at_, 2) != "\r\n") {
            cell.text += text_[at_];
            step();
        }
        while (cell.text.ends_with(' ') || cell.text.ends_with('\t'))
            cell.text.pop_back();
        cell.span.length = std::max(1, column_ - cell.span.column);
    }

    void quoted(CsvCell& cell) {
        step();
        while (!is_at_end()) {
            if (text_.substr(at_, 2) == "\"\"") {
                step();
            } else if (text_[at_] == '"') {
                step();
                after_quote();
                return;
            }
            cell.text += text_[at_];
            step();
        }
        has_open_quote_ = true;
        diagnostics_.add(cell.span, "this quotation mark is never closed");
    }

    void after_quote() {
        if (!is_separated_by_blanks()) skip_blanks();
        if (is_at_end() || is_separator() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n")
            return;
        diagnostics_.add({file_, line_, column_, 1},
                         "text follows the closing quotation mark",
                         "a quotation mark within a quoted cell is written twice");
        while (!is_at_end() && !is_separator() && text_[at_] != '\n')
            step();
    }

    std::shared_ptr<const sim::SourceFile> file_;
    std::string_view text_;
    sim::DiagnosticList& diagnostics_;
    char separator_;
    bool has_open_quote_ = false;
    std::size_t at_ = 0;
    int line_ = 1, column_ = 1;
};

/// Rows that are longer or shorter than the header.
class WrongLengths {
public:
    explicit WrongLengths(std::size_t n_expected) : n_expected_(n_expected) {}

    void add(const std::vector<CsvCell>& row) {
        if (rows_.size() <= most_told) rows_.push_back({row.front().span, row.size()});
        n_one_longer_ += row.size() == n_expected_ + 1 ? 1 : 0;
        ++n_;
    }

    void tell(std::size_t n_right, sim::DiagnosticList& diagnostics) const {
        if (n_right == 0 && n_one_longer_ == n_ && n_ > 1) {
            diagnostics.add(
                rows_.front().span,
                fmt::format("the rows have {} cells, the header {}", n_expected_ + 1, n_expected_),
                "R's write.table gives no name to its names of rows: write them out "
                "with col.names = NA, or leave them out with row.names = FALSE");
            return;
        }
        for (std::size_t i = 0; i < std::min(rows_.size(), most_told); ++i)
            tell_row(rows_[i], diagnostics);
        if (rows_.size() > most_told)
            diagnostics.add(rows_.back().span,
                            "further rows are longer or shorter than the header from here on");
    }

private:
    struct Row {
        sim::SourceSpan span;
        std::size_t n_cells = 0;
    };
    static constexpr std::size_t most_told = 10;

    void tell_row(const Row& row, sim::DiagnosticList& diagnostics) const {
        diagnostics.add(row.span,
                        fmt::format("this row has {} cell{}, the header {}",
                                    row.n_cells,
                                    row.n_cells == 1 ? "" : "s",
                                    n_expected_),
                        row.n_cells > n_expected_
                            ? "a text with the separator in it stands in quotation marks; numbers "
                              "have a decimal point"
                            : "a cell without value stays empty, and its separator stays");
    }

    std::size_t n_expected_;
    std::vector<Row> rows_; ///< the first
    std::size_t n_ = 0, n_one_longer_ = 0;
};

/// The first byte that is not UTF-8, which a spreadsheet's own encoding leaves.
void check_encoding(const std::shared_ptr<const sim::SourceFile>& file,
                    sim::DiagnosticList& diagnostics) {
    const std::string& text = file->text;
    std::size_t at = 0;
    while (at < text.size()) {
        if (next_code_point(text, at) != no_code_point) continue;
        const TextPlace place = place_of(std::string_view(text).substr(0, at), at);
        diagnostics.add({file, place.line, place.column, 1},
                        fmt::format("byte 0x{:02X} is not UTF-8 here",
                                    static_cast<unsigned>(static_cast<unsigned char>(text[at]))),
                        "save the file with the encoding UTF-8");
        return;
    }
}

void check_header(const CsvTable& table, sim::DiagnosticList& diagnostics) {
    std::map<std::string, int> seen;
    for (const CsvCell& cell : table.header)
        if (!cell.text.empty() && seen[cell.text]++ == 1)
            diagnostics.add(cell.span,
                            fmt::format("the column '{}' stands twice", cell.text),
                            "rename one of them, or leave it out");
}

} // namespace

char detect_separator(std::string_view text) {
    const std::size_t first = text.find_first_not_of("\r\n");
    if (first == std::string_view::npos) return ',';
    const std::string_view line = text.substr(first, text.find('\n', first) - first);
    std::map<char, int> counts;
    bool is_quoted = false;
    for (const char c : line) {
        if (c == '"') is_quoted = !is_quoted;
        if (!is_quoted) ++counts[c];
    }
    char best = ',';
    for (const char c : {';', '\t'})
        if (counts[c] > counts[best]) best = c;
    return best;
}

CsvTable parse_csv(std::shared_ptr<const sim::SourceFile> file,
                   sim::DiagnosticList& diagnostics,
                   const CsvFormat& format) {
    CsvTable table;
    table.file = file;
    check_encoding(file, diagnostics);
    CsvReader reader(std::move(file), diagnostics, format.separator);
    table.header = format.header;
    for (int i = 0; i < format.n_lines_before; ++i)
        reader.skip_line();
    WrongLengths wrong(table.header.size());
    while (!reader.is_at_end()) {
        if (!table.header.empty() && reader.begins_with(format.ignore)) {
            reader.skip_line();
            ++table.n_ignored;
            continue;
        }
        std::vector<CsvCell> row = reader.row();
        if (row.empty() || reader.has_open_quote()) continue; // told
        if (table.header.empty()) {
            table.header = std::move(row);
            wrong = WrongLengths(table.header.size());
        } else if (row.size() != table.header.size()) {
            wrong.add(row);
        } else {
            table.rows.push_back(std::move(row));
        }
    }
    wrong.tell(table.rows.size(), diagnostics);
    if (table.header.empty()) diagnostics.add({table.file, 0, 0, 1}, "this file has no header row");
    check_header(table, diagnostics);
    return table;
}

} // namespace gemel::io
