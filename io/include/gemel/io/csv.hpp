#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

/// CSV as spreadsheets read it: comma, RFC 4180 quoting, UTF-8, LF, a header row.
namespace gemel::io {

class CsvWriter {
public:
    CsvWriter(std::ostream& out, const std::vector<std::string>& header);

    void cell(const std::string& text);
    void cell(double value); ///< shortest text that reads back to the same bits; NaN is empty
    void cell(std::int64_t value);
    void end_row();

private:
    void separate();

    std::ostream* out_;
    bool row_is_empty_ = true;
};

} // namespace gemel::io
