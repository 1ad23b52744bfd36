#include "nca/nca_csv_columns.hpp"

#include <fmt/format.h>

namespace gemel::scenarios {

namespace {

/// "DV [ug/L]" → "DV" and "ug/L".
std::pair<std::string, std::string> name_and_unit(const std::string& header) {
    const auto open = header.find('[');
    if (open == std::string::npos || !header.ends_with(']')) return {header, ""};
    std::string name = header.substr(0, open);
    while (name.ends_with(' '))
        name.pop_back();
    return {name, header.substr(open + 1, header.size() - open - 2)};
}

class ColumnFinder {
public:
    ColumnFinder(const io::CsvTable& table,
                 const NcaRequest& request,
                 sim::DiagnosticList& diagnostics)
        : table_(table),
          request_(request),
          diagnostics_(diagnostics) {}

    CsvColumns columns() {
        CsvColumns at;
        at.id = demand({"ID", "USUBJID", "SUBJID", "SUBJECT"}, "the subject");
        at.time = demand({"TIME", "AFRLT"}, "the time");
        if (!request_.concentration.empty())
            at.dv = find_named("--concentration", request_.concentration);
        else
            at.dv = demand({"DV", "CONC", "AVAL"}, "the concentration");
        at.amt = find({"AMT"});
        at.rate = find({"RATE"});
        at.duration = find({"DUR", "TINF"});
        at.evid = find({"EVID"});
        at.mdv = find({"MDV"});
        at.addl = find({"ADDL"});
        at.ii = find({"II"});
        at.ss = find({"SS"});
        at.blq = find({"BLQ", "CENS"});
        at.lloq = find({"LLOQ"});
        at.dvid = find({"DVID"});
        at.slope = find({"LZ"});
        for (const std::string& group : request_.groups)
            at.groups.push_back(find_named("--group", group));
        return at;
    }

    ProfileUnits units(const CsvColumns& at) {
        ProfileUnits units;
        units.time = unit_of(at.time, "--time-unit", request_.time_unit);
        units.concentration = unit_of(at.dv, "--conc-unit", request_.concentration_unit);
        units.dose = unit_of(at.amt, "--dose-unit", request_.dose_unit);
        if (units.time && units.time->dimension != sim::time_dimension)
            diagnostics_.add(at.time >= 0 ? table_.header[index(at.time)].span : sim::SourceSpan{},
                             fmt::format("times in {}: that is no unit of time", units.time->text),
                             "write h, min or d");
        return units;
    }

private:
    static std::size_t index(int column) { return static_cast<std::size_t>(column); }

    int find(const std::vector<std::string>& names) const {
        for (const std::string& name : names)
            for (std::size_t i = 0; i < table_.header.size(); ++i)
                if (upper_case(name_and_unit(table_.header[i].text).first) == upper_case(name))
                    return static_cast<int>(i);
        return -1;
    }

    int demand(const std::vector<std::string>& names, const std::string& what) {
        const int at = find(names);
        if (at < 0 && !table_.header.empty())
            diagnostics_.add(table_.header.front().span,
                             fmt::format("no column tells {}", what),
                             fmt::format("name it {}", fmt::join(names, " or ")));
        return at;
    }

    int find_named(const std::string& option, const std::string& name) {
        const int at = find({name});
        std::vector<std::string> known;
        for (const io::CsvCell& cell : table_.header)
            known.push_back(name_and_unit(cell.text).first);
        if (at < 0)
            OptionReader(diagnostics_)
                .mistake(option,
                         name,
                         fmt::format("the file has no column '{}'", name),
                         sim::suggest(name, known));
        return at;
    }

    std::optional<sim::Unit>
    unit_of(int column, const std::string& option, const std::string& text) {
        auto unit = OptionReader(diagnostics_).unit(option, text);
        const std::string in_header =
            column < 0 ? "" : name_and_unit(table_.header[index(column)].text).second;
        if (in_header.empty()) return unit;
        std::string why;
        const auto declared = sim::parse_unit(in_header, &why);
        const sim::SourceSpan& place = table_.header[index(column)].span;
        if (!declared)
            diagnostics_.add(place, fmt::format("'{}' is no unit: {}", in_header, why));
        else if (unit && unit->text != declared->text)
            diagnostics_.add(
                place,
                fmt::format("the header says {}, {} says {}", declared->text, option, unit->text));
        return declared;
    }

    const io::CsvTable& table_;
    const NcaRequest& request_;
    sim::DiagnosticList& diagnostics_;
};

} // namespace

std::string upper_case(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

CsvColumns find_csv_columns(const io::CsvTable& table,
                            const NcaRequest& request,
                            sim::DiagnosticList& diagnostics) {
    return ColumnFinder(table, request, diagnostics).columns();
}

ProfileUnits csv_units(const io::CsvTable& table,
                       const CsvColumns& columns,
                       const NcaRequest& request,
                       sim::DiagnosticList& diagnostics) {
    return ColumnFinder(table, request, diagnostics).units(columns);
}

} // namespace gemel::scenarios
