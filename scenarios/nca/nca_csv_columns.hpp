#pragma once

#include "nca/nca_input.hpp"

#include <gemel/io/csv_table.hpp>

#include <string>
#include <vector>

/// The columns of a file of profiles, by header.
namespace gemel::scenarios {

/// Where the columns stand; −1: there is none.
struct CsvColumns {
    int id = -1, time = -1, dv = -1, amt = -1, rate = -1, duration = -1, evid = -1, mdv = -1;
    int addl = -1, ii = -1, ss = -1, blq = -1, lloq = -1, dvid = -1, slope = -1;
    std::vector<int> groups;
};

/// Mistakes: a column that is needed or named by the request and is not there.
CsvColumns find_csv_columns(const io::CsvTable& table,
                            const NcaRequest& request,
                            sim::DiagnosticList& diagnostics);

/// Of headers, "DV [ug/L]", or of the request.
ProfileUnits csv_units(const io::CsvTable& table,
                       const CsvColumns& columns,
                       const NcaRequest& request,
                       sim::DiagnosticList& diagnostics);

/// ASCII letters only.
std::string upper_case(std::string text);

} // namespace gemel::scenarios
