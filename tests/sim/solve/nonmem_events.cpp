#include "sim/solve/nonmem_events.hpp"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace gemel::sim {
namespace {

std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, ',');)
        cells.push_back(cell);
    return cells;
}

using Row = std::map<std::string, std::string>;
double number(const Row& row, const char* column) {
    return std::stod(row.at(column));
}

std::vector<double> inputs_of(const Row& row) {
    return {1.1,
            20.0,
            1.5,
            number(row, "LAGT"),
            number(row, "BIOAV"),
            number(row, "RAT2"),
            number(row, "DUR2")};
}

Record dose_of(const Row& row) {
    Record record{.time = number(row, "TIME"),
                  .state = static_cast<int>(number(row, "CMT")) - 1,
                  .amount = number(row, "AMT"),
                  .interval = number(row, "II"),
                  .count = 1 + static_cast<std::int64_t>(number(row, "ADDL"))};
    record.rate = number(row, "RATE");
    if (record.rate != 0.0) record.kind = RecordKind::infuse;
    record.steady = static_cast<SteadyState>(static_cast<int>(number(row, "SS")));
    return record;
}

void add(const Row& row, NonmemSituation& situation) {
    const auto evid = static_cast<int>(number(row, "EVID"));
    if (evid == 0) {
        situation.own.samples.push_back({number(row, "TIME"), situation.own.records.size()});
        situation.expected.push_back(number(row, "NONMEM_CP"));
        return;
    }
    if (evid >= 3)
        situation.own.records.push_back({.time = number(row, "TIME"), .kind = RecordKind::reset});
    if (evid != 3) situation.own.records.push_back(dose_of(row));
    situation.text += fmt::format("time {} evid {} amt {} cmt {} rate {} ii {} addl {} ss {}; ",
                                  row.at("TIME"),
                                  evid,
                                  row.at("AMT"),
                                  row.at("CMT"),
                                  row.at("RATE"),
                                  row.at("II"),
                                  row.at("ADDL"),
                                  row.at("SS"));
}

} // namespace

std::vector<NonmemSituation> nonmem_situations() {
    std::ifstream file(GEMEL_SOURCE_DIR "/tests/data/nonmem_events.csv");
    std::string line;
    if (!std::getline(file, line)) throw std::runtime_error("tests/data/nonmem_events.csv");
    const std::vector<std::string> header = cells_of(line);
    std::vector<NonmemSituation> situations;
    double last_time = 0.0;
    while (std::getline(file, line)) {
        const std::vector<std::string> cells = cells_of(line);
        Row row;
        for (std::size_t i = 0; i < header.size(); ++i)
            row[header[i]] = cells.at(i);
        const auto id = static_cast<int>(number(row, "ID"));
        const std::vector<double> inputs = inputs_of(row);
        if (situations.empty() || situations.back().id != id) {
            situations.push_back({});
            situations.back().id = id;
            situations.back().rows = {inputs};
            situations.back().text = fmt::format("id {} lag {} F {} rate {} duration {}: ",
                                                 id,
                                                 row["LAGT"],
                                                 row["BIOAV"],
                                                 row["RAT2"],
                                                 row["DUR2"]);
        } else if (situations.back().rows.back() != inputs) {
            // NONMEM's values hold since the record before.
            situations.back().rows.push_back(inputs);
            situations.back().own.switches.push_back({last_time, RowPlace::after});
        }
        last_time = number(row, "TIME");
        add(row, situations.back());
    }
    return situations;
}

Problem nonmem_problem() {
    Problem p("NONMEM's situations", 0.0);
    const Term cl = p.input("CL", 1.1), v = p.input("V", 20.0), ka = p.input("ka", 1.5);
    const Term lag = p.input("lag", 0.0), f = p.input("F", 1.0);
    const Term rate = p.input("rate", 1.0), duration = p.input("duration", 1.0);
    const Term depot = p.dosed_state("depot"), central = p.dosed_state("central");
    State& dosed = p.definition(central);
    dosed.lag = lag.expr;
    dosed.bioavailability = f.expr;
    dosed.modelled_rate = rate.expr;
    dosed.modelled_duration = duration.expr;
    p.rate(depot, -ka * depot);
    p.rate(central, ka * depot - cl / v * central);
    p.output("Cp", 1000.0 * (central / v));
    return p;
}

} // namespace gemel::sim
