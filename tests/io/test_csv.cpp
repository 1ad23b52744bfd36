#include <gemel/io/csv.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>

namespace gemel::io {

TEST_CASE("Cells are quoted where RFC 4180 asks for it") {
    std::ostringstream out;
    CsvWriter csv(out, {"ID", "note, with comma"});
    csv.cell(std::int64_t(-7));
    csv.cell(std::string("she said \"µ\""));
    csv.end_row();
    csv.cell(std::string("two\nlines"));
    csv.cell(std::string(" kept "));
    csv.end_row();
    CHECK(out.str() == "ID,\"note, with comma\"\n-7,\"she said \"\"µ\"\"\"\n\"two\nlines\",\" kept "
                       "\"\n");
}

TEST_CASE("Numbers read back to the same bits, and a missing one is empty") {
    const std::vector<double> values{0.1, 1.0 / 3.0, 5e-324, -0.0, 1e22, 123456789.125, 2.0};
    for (const double value : values) {
        std::ostringstream out;
        CsvWriter csv(out, {"x"});
        csv.cell(value);
        csv.end_row();
        const double read = std::strtod(out.str().substr(2).c_str(), nullptr);
        CHECK(read == value);
        CHECK(std::signbit(read) == std::signbit(value));
    }
    std::ostringstream out;
    CsvWriter csv(out, {"a", "b", "c"});
    csv.cell(0.1);
    csv.cell(std::numeric_limits<double>::quiet_NaN());
    csv.cell(std::numeric_limits<double>::infinity());
    csv.end_row();
    CHECK(out.str() == "a,b,c\n0.1,,inf\n");
}

} // namespace gemel::io
