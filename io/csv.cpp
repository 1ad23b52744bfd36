#include <gemel/io/csv.hpp>

#include <fmt/format.h>

#include <cmath>
#include <ostream>

namespace gemel::io {

CsvWriter::CsvWriter(std::ostream& out, const std::vector<std::string>& header) : out_(&out) {
    for (const std::string& name : header)
        cell(name);
    end_row();
}

void CsvWriter::cell(const std::string& text) {
    separate();
    const bool has_outer_space =
        !text.empty() && (text.front() == ' ' || text.back() == ' ' || text.front() == '\t');
    if (text.find_first_of(",\"\r\n") == std::string::npos && !has_outer_space) {
        *out_ << text;
        return;
    }
    *out_ << '"';
    for (const char c : text)
        *out_ << (c == '"' ? "\"\"" : std::string(1, c));
    *out_ << '"';
}

void CsvWriter::cell(double value) {
    separate();
    if (!std::isnan(value)) *out_ << fmt::format("{}", value);
}

void CsvWriter::cell(std::int64_t value) {
    separate();
    *out_ << fmt::format("{}", value);
}

void CsvWriter::end_row() {
    *out_ << '\n';
    row_is_empty_ = true;
}

void CsvWriter::separate() {
    if (!row_is_empty_) *out_ << ',';
    row_is_empty_ = false;
}

} // namespace gemel::io
