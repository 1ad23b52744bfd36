#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

/// Published tables beside the tests: comma-separated, `#` lines say the source, then a header row.
namespace gemel {

inline std::vector<std::vector<std::string>> reference_rows(const std::string& name) {
    std::ifstream file(std::string(GEMEL_SOURCE_DIR) + "/tests/pkpd/data/" + name);
    REQUIRE(file);
    std::vector<std::vector<std::string>> rows;
    bool is_header = true;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::vector<std::string> cells;
        std::istringstream words(line);
        for (std::string cell; std::getline(words, cell, ',');)
            cells.push_back(cell);
        if (!is_header) rows.push_back(cells);
        is_header = false;
    }
    return rows;
}

} // namespace gemel
