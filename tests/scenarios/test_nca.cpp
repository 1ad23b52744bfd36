#include "study_runs.hpp"

#include <gemel/io/csv_table.hpp>
#include <gemel/scenarios/nca.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace gemel::tests {

namespace {

using pkpd::NcaRoute;
using scenarios::NcaFormat;
using scenarios::NcaIntervals;
using scenarios::NcaRequest;

/// Cells of a table by header and row.
class PrintedTable {
public:
    explicit PrintedTable(const std::string& text) {
        sim::DiagnosticList diagnostics;
        table_ = io::parse_csv(
            std::make_shared<const sim::SourceFile>(sim::SourceFile{"printed", text}), diagnostics);
        REQUIRE(diagnostics.empty());
    }

    std::size_t n_rows() const { return table_.rows.size(); }

    std::string text(const std::string& header, std::size_t row) const {
        for (std::size_t c = 0; c < table_.header.size(); ++c)
            if (table_.header[c].text == header) return table_.rows.at(row)[c].text;
        FAIL("no column " << header);
        return {};
    }

    double number(const std::string& header, std::size_t row) const {
        const std::string cell = text(header, row);
        return cell.empty() ? std::numeric_limits<double>::quiet_NaN() : std::stod(cell);
    }

private:
    io::CsvTable table_;
};

std::string printed(const std::filesystem::path& file, const NcaRequest& request) {
    std::ostringstream out;
    scenarios::nca(file, request, out);
    return out.str();
}

PrintedTable printed_table(const std::filesystem::path& file, NcaRequest request) {
    request.format = NcaFormat::csv;
    return PrintedTable(printed(file, request));
}

std::string mistakes_of(const std::filesystem::path& file, const NcaRequest& request) {
    try {
        printed(file, request);
    } catch (const sim::InputError& error) {
        return error.what();
    }
    return "none";
}

NcaRequest request_by(NcaRoute route) {
    NcaRequest request;
    request.route = route;
    return request;
}

doctest::Approx to(double value, double epsilon) {
    return doctest::Approx(value).epsilon(epsilon);
}

/// A bolus every 12 h, five times, of 100 mg into 20 L with k = 0.1/h; a trough row before and a
/// peak row after each dose, as the rows stand.
std::string repeated_boluses() {
    std::string text = "ID,TIME [h],AMT [mg],DV [mg/L]\n";
    double level = 0.0;
    for (int dose = 0; dose < 5; ++dose) {
        text += fmt::format("1,{},0,{}\n1,{},100,.\n", 12 * dose, level, 12 * dose);
        level += 5.0;
        for (const double t : {0.0, 1.0, 4.0, 8.0})
            text += fmt::format("1,{},0,{}\n", 12 * dose + t, level * std::exp(-0.1 * t));
        level *= std::exp(-1.2);
    }
    return text + fmt::format("1,60,0,{}\n1,72,0,{}\n", level, level * std::exp(-1.2));
}

} // namespace

TEST_CASE("a file of profiles is analysed with its own doses, or with those of the request") {
    // Published: WinNonlin, dose 320 mg for all; the file's own are by weight.
    const auto file = source_folder() / "tests/data/theophylline.csv";
    NcaRequest request = request_by(NcaRoute::extravascular);
    const PrintedTable own = printed_table(file, request);
    CHECK(own.n_rows() == 12);
    CHECK(own.text("subject", 11) == "12");
    CHECK(own.number("lambda_z_n_points", 5) == 7);
    CHECK(own.number("cl_f_obs", 0) == to(319.992 / 214.9236316, 1e-9));
    request.dose = "320";
    const PrintedTable given = printed_table(file, request);
    CHECK(std::abs(given.number("cl_f_obs", 0) - 1.4889010) < 1e-7);
    request.rule = pkpd::AreaRule::linear;
    CHECK(printed_table(file, request).number("auclast", 1) == to(91.5268, 1e-12));
}

TEST_CASE("units of headers and options make litres of doses and concentrations") {
    // Closed form: C = 5·e^{−0.1·t} mg/L after 100 mg, written in µg/L: V = 20 L, CL = 2 L/h.
    const TemporaryFolder folder;
    std::string text = "USUBJID,TIME [h],AMT,CONC [ug/L]\nA,0,100,.\n";
    for (const double t : {1.0, 3.0, 8.0, 12.0})
        text += fmt::format("A,{},0,{}\n", t, 5000.0 * std::exp(-0.1 * t));
    write_text(folder / "x.csv", text);
    NcaRequest request = request_by(NcaRoute::bolus);
    request.dose_unit = "mg";
    request.thresholds = {"2.5 mg/L"};
    request.partials = {"0:720 min"};
    const PrintedTable table = printed_table(folder / "x.csv", request);
    CHECK(table.number("cl_obs [L/h]", 0) == to(2.0, 1e-12));
    CHECK(table.number("vss_obs [L]", 0) == to(20.0, 1e-12));
    CHECK(table.number("c0 [ug/L]", 0) == to(5000.0, 1e-12));
    CHECK(table.number("time_above_2500 [h]", 0) == to(std::log(2.0) / 0.1, 1e-12));
    CHECK(table.number("auc_0_12 [ug.h/L]", 0) == to(5e4 * (1.0 - std::exp(-1.2)), 1e-12));
}

TEST_CASE("samples at the time of a bolus are troughs or peaks as their rows stand") {
    // Closed form: each interval declines from 5·(1 + q + … + q^(n−1)), q = e^{−1.2}.
    const TemporaryFolder folder;
    write_text(folder / "x.csv", repeated_boluses());
    NcaRequest request = request_by(NcaRoute::bolus);
    request.intervals = NcaIntervals::all;
    request.is_steady = true;
    const PrintedTable all = printed_table(folder / "x.csv", request);
    REQUIRE(all.n_rows() == 5);
    const double q = std::exp(-1.2);
    for (std::size_t n = 0; n < 5; ++n) {
        const double peak = 5.0 * (1.0 - std::pow(q, double(n + 1))) / (1.0 - q);
        CHECK(all.text("dose", n) == std::to_string(n + 1));
        CHECK(all.number("c0 [mg/L]", n) == to(peak, 1e-12));
        CHECK(all.number("ctrough [mg/L]", n) == to(peak * q, 1e-12));
        CHECK(all.number("auctau [mg.h/L]", n) == to(10.0 * peak * (1.0 - q), 1e-12));
        if (n > 0) CHECK(all.number("accumulation_auc", n) == to(peak / 5.0, 1e-12));
    }
    CHECK(all.number("cl_obs [L/h]", 0) == to(2.0, 1e-12));
    CHECK(std::isnan(all.number("cl_obs [L/h]", 1)));
    CHECK(all.text("notes", 1).find("no clearance: earlier doses are still there") !=
          std::string::npos);
    const double last = 5.0 * (1.0 - std::pow(q, 5.0)) / (1.0 - q);
    CHECK(all.number("cl_ss [L/h]", 4) == to(100.0 / (10.0 * last * (1.0 - q)), 1e-12));
    request.intervals = NcaIntervals::last;
    CHECK(printed_table(folder / "x.csv", request).number("c0 [mg/L]", 0) == to(last, 1e-12));
    request.intervals = NcaIntervals::first;
    CHECK(printed_table(folder / "x.csv", request).number("tlast [h]", 0) == 12.0);
}

TEST_CASE("two samples at an oral dose serve the interval before it and the one after") {
    // By hand, linear rule: 0→4→2→1 to the trough at 12 h; from the sample after the dose, 1.5, on.
    const TemporaryFolder folder;
    write_text(folder / "x.csv",
               "ID,TIME,AMT,DV\n1,0,10,.\n1,0,0,0\n1,2,0,4\n1,6,0,2\n1,12,0,1\n1,12,10,.\n"
               "1,12,0,1.5\n1,14,0,5\n1,18,0,3\n1,24,0,1\n");
    NcaRequest request = request_by(NcaRoute::extravascular);
    request.rule = pkpd::AreaRule::linear;
    request.intervals = NcaIntervals::all;
    const PrintedTable table = printed_table(folder / "x.csv", request);
    CHECK(table.number("auctau", 0) == to(4.0 + 12.0 + 9.0, 1e-14));
    CHECK(table.number("auctau", 1) == to(6.5 + 16.0 + 12.0, 1e-14));
}

TEST_CASE("an interval without a sample at its dose starts from what the last one has left") {
    // Closed form: 4·e^{−0.2·t} after the first dose, sampled to 6 h; at 12 h it is 4·e^{−2.4}.
    const TemporaryFolder folder;
    std::string text = "ID,TIME,AMT,DV,ADDL,II\n1,0,10,.,1,12\n";
    for (const double t : {1.0, 2.0, 4.0, 6.0})
        text += fmt::format("1,{},0,{},0,0\n", t, 4.0 * std::exp(-0.2 * t));
    write_text(folder / "x.csv",
               text + "1,14,0,5,0,0\n1,18,0,2,0,0\n1,22,0,1,0,0\n1,26,0,0.4,0,0\n");
    NcaRequest request = request_by(NcaRoute::extravascular);
    request.rule = pkpd::AreaRule::linear;
    const PrintedTable table = printed_table(folder / "x.csv", request);
    const double left = 4.0 * std::exp(-2.4);
    CHECK(table.number("auclast", 0) == to((left + 5.0) + 14.0 + 6.0 + 2.8, 1e-12));
    CHECK(table.number("tmax", 0) == 2.0);
}

TEST_CASE("groups tell profiles of one subject apart, and are summarised apart") {
    const TemporaryFolder folder;
    std::string text = "ID,PERIOD,TIME,DV,LZ\n";
    for (const char* subject : {"a", "b"})
        for (const int period : {1, 2})
            for (const double t : {0.0, 1.0, 2.0, 4.0, 6.0})
                text += fmt::format(
                    "{},{},{},{},{}\n", subject, period, t, period * std::exp(-0.5 * t), 0);
    write_text(folder / "x.csv", text);
    NcaRequest request = request_by(NcaRoute::bolus);
    request.groups = {"period"};
    request.dose = "10";
    request.parameters = {"half_life", "cl_obs"};
    const PrintedTable table = printed_table(folder / "x.csv", request);
    REQUIRE(table.n_rows() == 4);
    CHECK(table.text("period", 1) == "2");
    CHECK(table.number("cl_obs", 1) == to(2.5, 1e-12)); // 10/(2/0.5)
    const std::string shown = printed(folder / "x.csv", request);
    CHECK(shown.find("Summary, period 2") != std::string::npos);
    request.format = NcaFormat::json;
    const std::string json = printed(folder / "x.csv", request);
    CHECK(json.find("{\"period\": \"1\", \"subject\": \"b\", \"half_life\": 1.386") !=
          std::string::npos);
    CHECK(json.find("\"parameter\": \"cl_obs\", \"n\": 2, ") != std::string::npos);
    // Without the group, times go back within a subject.
    request.groups.clear();
    CHECK(mistakes_of(folder / "x.csv", request)
              .find("the time goes back from 6 to 0 within subject a") != std::string::npos);
}

TEST_CASE("concentrations below the limit are told by word, mark, column or option") {
    // Closed form: linear areas by hand; all four files are one profile.
    const TemporaryFolder folder;
    const std::string times =
        "1,0,0,{}\n1,1,0,4\n1,2,0,{}\n1,3,0,2\n1,4,0,1\n1,5,0,0.5\n1,6,0,{}\n";
    const auto with = [&](const std::string& word) {
        return "ID,TIME,AMT,DV\n1,0,5,.\n" + fmt::format(fmt::runtime(times), word, word, word);
    };
    NcaRequest request = request_by(NcaRoute::extravascular);
    request.rule = pkpd::AreaRule::linear;
    request.lloq = "0.2";
    for (const std::string word : {"BLQ", "<0.2", "0", "0.1"}) {
        write_text(folder / "x.csv", with(word));
        const PrintedTable table = printed_table(folder / "x.csv", request);
        CHECK(table.number("auclast", 0) == to(2.0 + 6.0 + 1.5 + 0.75, 1e-14));
        CHECK(table.number("aucall", 0) == to(10.5, 1e-14));
    }
    request.blq = "drop,0.1,drop";
    CHECK(printed_table(folder / "x.csv", request).number("auclast", 0) ==
          to(2.0 + 2.05 + 1.05 + 1.5 + 0.75, 1e-14));
}

TEST_CASE("serial sampling is analysed by the means of each group") {
    const TemporaryFolder folder;
    std::string text = "ID,TIME [h],DV [mg/L]\n";
    const double values[3][3] = {{0, 0, 0}, {2, 4, 6}, {1, 2, 3}};
    for (int t = 0; t < 3; ++t)
        for (int i = 0; i < 3; ++i)
            text += fmt::format("{},{},{}\n", 3 * t + i, t == 2 ? 3 : t, values[t][i]);
    write_text(folder / "x.csv", text);
    NcaRequest request;
    request.is_sparse = true;
    const PrintedTable table = printed_table(folder / "x.csv", request);
    CHECK(table.number("sparse_auclast [mg.h/L]", 0) == to(8.0, 1e-14));
    CHECK(table.number("sparse_auc_se [mg.h/L]", 0) == to(std::sqrt(10.0 / 3.0), 1e-14));
    CHECK(table.number("n_subjects", 0) == 9);
}

TEST_CASE("a reset begins an occasion that sees only what follows it") {
    // Closed form: each occasion is a bolus of 100 mg into 20 L with k = 0.1/h. Without resets the
    // second dose would have no clearance, and times that begin anew would be a mistake.
    const TemporaryFolder folder;
    const auto occasion = [](double begin, const char* first) {
        std::string text = first;
        for (const double t : {1.0, 4.0, 8.0, 12.0})
            text += fmt::format("1,{},0,0,{}\n", begin + t, 5.0 * std::exp(-0.1 * t));
        return text;
    };
    const std::string header = "ID,TIME [h],EVID,AMT [mg],DV [mg/L]\n";
    const NcaRequest request = request_by(NcaRoute::bolus);
    write_text(folder / "one.csv", header + occasion(0.0, "1,0,1,100,.\n"));
    const PrintedTable one = printed_table(folder / "one.csv", request);
    for (const double begin : {0.0, 24.0}) { // anew, or on
        write_text(folder / "x.csv",
                   header + occasion(0.0, "1,0,4,100,.\n") +
                       occasion(begin, fmt::format("1,{},4,100,.\n", begin).c_str()) +
                       occasion(2.0 * begin,
                                fmt::format("1,{0},3,0,.\n1,{0},1,100,.\n", 2.0 * begin).c_str()));
        const PrintedTable table = printed_table(folder / "x.csv", request);
        REQUIRE(table.n_rows() == 3);
        for (std::size_t row = 0; row < 3; ++row) {
            CHECK(table.text("occasion", row) == std::to_string(row + 1));
            CHECK(table.text("subject", row) == "1");
            CHECK(table.number("cl_obs [L/h]", row) == to(2.0, 1e-12));
            CHECK(table.text("notes", row) == one.text("notes", 0));
        }
    }
    CHECK(printed(folder / "x.csv", request).find("Summary, occasion 2") != std::string::npos);
}

TEST_CASE(
    "additional doses belong to the occasion they fall into, and end where time begins anew") {
    // By the rules of docs/guide/data.md: a dose every 12 h, four times; a reset at 18 h, after
    // which two of them are given, or at which they end.
    const TemporaryFolder folder;
    const std::string head = "ID,TIME,EVID,AMT,ADDL,II,DV\n1,0,1,10,3,12,.\n1,2,0,.,.,.,5\n"
                             "1,14,0,.,.,.,6\n1,17,0,.,.,.,2\n";
    NcaRequest request = request_by(NcaRoute::extravascular);
    request.intervals = NcaIntervals::all;
    const auto doses = [&] {
        const PrintedTable table = printed_table(folder / "x.csv", request);
        std::string text;
        for (std::size_t row = 0; row < table.n_rows(); ++row)
            text += table.text("occasion", row) + ": " + table.text("dose_time", row) + "; ";
        return text;
    };
    write_text(folder / "x.csv", head + "1,18,3,.,.,.,.\n1,26,0,.,.,.,3\n1,40,0,.,.,.,1\n");
    CHECK(doses() == "1: 0; 1: 12; 2: 24; 2: 36; ");
    write_text(folder / "x.csv", head + "1,0,4,10,.,.,.\n1,6,0,.,.,.,3\n1,40,0,.,.,.,1\n");
    CHECK(doses() == "1: 0; 1: 12; 2: 0; ");
}

TEST_CASE("a steady state is analysed over its interval, and two of them interleave") {
    // Closed form: k = 0.1/h, V = 20 L, 100 mg every 12 h for ever: from p = 5/(1 − e^{−1.2}) on.
    // The same as two steady states of doses a day that are half a day apart.
    const TemporaryFolder folder;
    const double peak = 5.0 / (1.0 - std::exp(-1.2));
    std::string samples;
    for (const double t : {1.0, 4.0, 8.0, 12.0})
        samples += fmt::format("1,{},.,.,.,{}\n", 12.0 + t, peak * std::exp(-0.1 * t));
    const std::string head = "ID,TIME [h],AMT [mg],SS,II,DV [mg/L]\n";
    for (const std::string doses : {"1,12,100,1,12,.\n", "1,0,100,1,24,.\n1,12,100,2,24,.\n"}) {
        write_text(folder / "x.csv", head + doses + samples);
        const PrintedTable table = printed_table(folder / "x.csv", request_by(NcaRoute::bolus));
        CHECK(table.number("cl_ss [L/h]", 0) == to(2.0, 1e-12));
        CHECK(table.number("vss_ss [L]", 0) == to(20.0, 1e-12));
        CHECK(table.number("ctrough [mg/L]", 0) == to(peak * std::exp(-1.2), 1e-12));
        CHECK(table.number("accumulation_index", 0) == to(peak / 5.0, 1e-12));
        CHECK(std::isnan(table.number("cl_obs [L/h]", 0)));
        CHECK(std::isnan(table.number("accumulation_auc", 0)));
    }
}

TEST_CASE("files of other habits give the same numbers") {
    // Invariant: the same profile with semicolons and decimal commas, with times of day and a row
    // of units, by other names, by CMT, by words for values below the limit.
    const TemporaryFolder folder;
    NcaRequest request = request_by(NcaRoute::extravascular);
    write_text(folder / "x.csv",
               "ID,TIME [h],AMT [mg],DV [mg/L]\n1,0,50,.\n1,0.5,0,1.5\n1,2,0,4.25\n1,6,0,2\n"
               "1,12,0,0.5\n1,24,0,0\n");
    request.format = NcaFormat::csv;
    const std::string expected = printed(folder / "x.csv", request);
    const auto check = [&](const std::string& text, const NcaRequest& of) {
        write_text(folder / "y.csv", text);
        INFO(text);
        CHECK(printed(folder / "y.csv", of) == expected);
    };
    check("ID;TIME [h];AMT [mg];DV [mg/L]\n1;0;50;.\n1;0,5;0;1,5\n1;2;0;4,25\n1;6;0;2\n"
          "1;12;0;0,5\n1;24;0;0\n",
          request);
    NcaRequest clock = request;
    clock.has_clock = true;
    clock.date = "d/m/y";
    check("ID,DATE,TIME,AMT [mg],DV [mg/L]\n1,31/01/2020,8:00,50,.\n1,31/01/2020,8:30,0,1.5\n"
          "1,31/01/2020,10:00,0,4.25\n1,31/01/2020,14:00,0,2\n1,31/01/2020,20:00,0,0.5\n"
          "1,01/02/2020,8:00,0,0\n",
          clock);
    NcaRequest names = request;
    names.columns = {"AMT=GIVEN"};
    names.missing = {"-99"};
    check("Subject,Time,GIVEN,Conc\n,h,mg,mg/L\n1,0,50,-99\n1,0.5,0,1.5\n1,2,0,4.25\n1,6,0,2\n"
          "1,12,0,0.5\n1,18,0,-99\n1,24,0,<0.1\n",
          names);
    NcaRequest curve = request;
    curve.curve = "2";
    check("ID,TIME [h],AMT [mg],CMT,DV [mg/L],LLOQ\n1,0,50,1,.,.\n1,0.5,0,2,1.5,0.1\n"
          "1,1,0,3,7,0.1\n1,2,0,2,4.25,0.1\n1,2,0,3,9,0.1\n1,6,0,2,2,0.1\n1,12,0,2,0.5,0.1\n"
          "1,24,0,2,0.05,0.1\n",
          curve);
    CHECK(mistakes_of(folder / "y.csv", request).find("observations of several kinds, CMT 2, 3") !=
          std::string::npos);
    curve.curve = "4";
    CHECK(mistakes_of(folder / "y.csv", curve).find("the file has no CMT '4'") !=
          std::string::npos);
    curve.columns = {"AMT", "DOS=x", "DV=C"};
    const std::string columns = mistakes_of(folder / "y.csv", curve);
    for (const char* part : {"--column:1:1: error: 'AMT' names no column",
                             "error: 'DOS' is neither a column of the convention",
                             "y.csv has no column 'C'"})
        CHECK(columns.find(part) != std::string::npos);
}

TEST_CASE("mistakes of a file and of a request are told all at once, with their places") {
    const TemporaryFolder folder;
    write_text(
        folder / "x.csv",
        "ID,TIME [mg],AMT [mgg],DV\n1,0,100,.\n1,1,0,abc\n1,2,0,-1\n1,2,0,3\n,3,0,1\n1,1,0,2\n");
    NcaRequest request;
    request.partials = {"5:2"};
    request.parameters = {"cmaxx"};
    const std::string units = mistakes_of(folder / "x.csv", request);
    CHECK(units.find("x.csv:1:4: error: TIME is in mg, which is an amount") != std::string::npos);
    CHECK(units.find("x.csv:1:14: error: \"mgg\" is no unit") != std::string::npos);
    CHECK(units.find("did you mean 'cmax'?") != std::string::npos);
    write_text(folder / "x.csv",
               "ID,TIME,AMT,DV\n1,0,100,.\n1,1,0,abc\n1,2,0,-1\n1,2,0,3\n,3,0,1\n1,1,0,2\n");
    const std::string rows = mistakes_of(folder / "x.csv", request);
    for (const char* part : {"x.csv:3:7: error: 'abc' is no number, in the column 'DV'",
                             "x.csv:4:7: error: the concentration -1 is below 0",
                             "x.csv:5:3: error: two concentrations of subject 1 at time 2",
                             "x.csv:6:1: error: the ID is missing here",
                             "x.csv:7:3: error: the time goes back from 2 to 1 within subject 1"}) {
        INFO(rows);
        CHECK(rows.find(part) != std::string::npos);
    }
    write_text(folder / "x.csv", "WHO,WHEN,DV\n1,0,2\n");
    const std::string columns = mistakes_of(folder / "x.csv", request);
    CHECK(columns.find("there is no column ID") != std::string::npos);
    CHECK(columns.find("write --column TIME=…") != std::string::npos);
    write_text(folder / "x.csv", "ID,TIME,AMT,DV\n1,0,100,.\n1,1,0,4\n");
    const std::string route = mistakes_of(folder / "x.csv", NcaRequest{});
    CHECK(route.find("write --route oral, --route bolus or --route infusion") != std::string::npos);
    request = request_by(NcaRoute::extravascular);
    request.partials = {"5:2"};
    request.dose = "10 mg";
    request.blq = "zero,no";
    request.tau = "0";
    const std::string options = mistakes_of(folder / "x.csv", request);
    for (const char* part : {"--partial:1:1: error: '5:2' does not go forward from the dose",
                             "--dose:1:1: error: '10 mg' has a unit",
                             "--blq:1:1: error: three words are expected",
                             "--tau:1:1: error: 0 is out of range"})
        CHECK(options.find(part) != std::string::npos);
    CHECK(mistakes_of(folder / "none.csv", request).find("there is no such file") !=
          std::string::npos);
    const auto warfarin = source_folder() / "tests/data/warfarin_pkpd.csv";
    CHECK(mistakes_of(warfarin, request_by(NcaRoute::extravascular))
              .find("observations of several kinds, DVID 1, 2") != std::string::npos);
}

TEST_CASE("curves of a result file give the exposure that was integrated with the equations") {
    // Independent method: auc() is integrated with the ODEs. Of the linear rule to tmax,
    // Euler and Maclaurin leave h²/12·C'(0): 6e-4 of areas from 9 on, h = 0.05 h and C' some
    // 3 mg/L/h. The logarithmic rule after tmax is exact but for the end of absorption.
    const TemporaryFolder folder;
    run(load("loading_dose.toml",
             {"save.Cp.every=3 min", "save.Cp.subjects=all", "population.size=100"}),
        folder / "x.h5");
    NcaRequest request = request_by(NcaRoute::extravascular);
    request.curve = "Cp";
    request.is_steady = true;
    const PrintedTable table = printed_table(folder / "x.h5", request);
    const io::ResultReader file(folder / "x.h5");
    const std::vector<std::string> arms = file.axis("arm").labels;
    REQUIRE(table.n_rows() == 100 * arms.size());
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
        const auto auc = file.reals("outcomes/AUCtau", static_cast<int>(arm), 0, 100);
        for (std::size_t s = 0; s < 100; ++s) {
            const std::size_t row = arm * 100 + s;
            CHECK(table.text("arm", row) == arms[arm]);
            CHECK(table.number("auctau [mg.h/L]", row) == to(auc[s], 2e-4));
        }
    }
    request.curve = "Cq";
    CHECK(mistakes_of(folder / "x.h5", request).find("the file has no curve 'Cq'") !=
          std::string::npos);
    request.curve.clear();
    request.is_sparse = true;
    CHECK(mistakes_of(folder / "x.h5", request).find("--sparse is for subjects sampled") !=
          std::string::npos);
}

TEST_CASE("what was measured in a study is analysed with its marks below the limit") {
    // Invariants: cmax is the highest quantified sample, tlast the last quantified one.
    const TemporaryFolder folder;
    run(load("samples.toml", {"population.size=64"}), folder / "x.h5");
    NcaRequest request = request_by(NcaRoute::extravascular);
    request.curve = "samples/Cp";
    const PrintedTable table = printed_table(folder / "x.h5", request);
    const io::ResultReader file(folder / "x.h5");
    const std::vector<double> times = file.axis("sample_Cp").numbers;
    const std::vector<double> values = file.reals("samples/Cp", 0, 0, 64);
    const std::vector<double> censored = file.reals("samples/Cp_censored", 0, 0, 64);
    std::size_t n_censored = 0;
    for (std::size_t s = 0; s < 64; ++s) {
        double highest = 0.0, last = std::numeric_limits<double>::quiet_NaN();
        for (std::size_t t = 0; t < times.size(); ++t) {
            const std::size_t i = s * times.size() + t;
            n_censored += censored[i] != 0.0;
            if (censored[i] != 0.0) continue;
            highest = std::max(highest, values[i]);
            last = times[t];
        }
        CHECK(table.number("cmax [mg/L]", s) == highest);
        if (highest > 0.0) CHECK(table.number("tlast [h]", s) == last);
    }
    CHECK(n_censored > 0);
}

TEST_CASE("replicates are told apart") {
    const TemporaryFolder folder;
    run(load("samples.toml", {"population.size=3", "study.replicates=2"}), folder / "x.h5");
    NcaRequest request = request_by(NcaRoute::extravascular);
    request.parameters = {"cmax"};
    const PrintedTable table = printed_table(folder / "x.h5", request);
    io::ResultReader file(folder / "x.h5");
    REQUIRE(table.n_rows() == 2 * 2 * 3);
    for (std::size_t r = 0; r < 2; ++r) {
        file.select_replicate(r);
        const std::vector<double> values = file.reals("Cp", 0, 0, 3); // arm once, 4 times
        for (std::size_t s = 0; s < 3; ++s) {
            const std::size_t row = 6 * r + s;
            const double* const own = values.data() + 4 * s;
            CHECK(table.text("replicate", row) == std::to_string(r + 1));
            CHECK(table.number("cmax [mg/L]", row) == *std::max_element(own, own + 4));
        }
    }
}

TEST_CASE("subjects of a data file are analysed with their own doses") {
    // Closed form: CL is what the subject has, AUC to infinity of one dose being dose/CL. The
    // linear rule of absorption leaves some 1e-4 at steps of 0.05 h.
    const TemporaryFolder folder;
    run(load("theophylline_data.toml", {"save.Cp.every=3 min"}), folder / "data.h5");
    NcaRequest request = request_by(NcaRoute::extravascular);
    request.curve = "Cp";
    const PrintedTable table = printed_table(folder / "data.h5", request);
    const io::ResultReader file(folder / "data.h5");
    REQUIRE(table.n_rows() == 12);
    const std::vector<double> cl = file.reals("parameters/CL", -1, 0, 12);
    for (std::size_t s = 0; s < 12; ++s) {
        CHECK(table.text("subject", s) == std::to_string(s + 1));
        CHECK(table.number("cl_f_obs [L/h]", s) == to(cl[s], 2e-3));
    }
    request.dose = "320 mg";
    const PrintedTable other = printed_table(folder / "data.h5", request);
    CHECK(other.number("cl_f_obs [L/h]", 0) ==
          to(table.number("cl_f_obs [L/h]", 0) * 320.0 / 319.992, 1e-12));
    // With a regimen of its own beside, or instead: the doses of both, or of the regimen.
    for (const bool is_ignored : {false, true}) {
        std::vector<std::string> changes{
            "save.Cp.every=0.5 h",
            "regimens.more.doses=[{ dose = \"100 mg\", at = \"12 h\" }]",
            "arms.more.regimen=more",
            "study.duration=36 h"};
        if (is_ignored) changes.emplace_back("data.doses=ignore");
        run(load("theophylline_data.toml", changes), folder / "both.h5");
        request = request_by(NcaRoute::extravascular);
        request.curve = "Cp";
        request.intervals = NcaIntervals::all;
        const PrintedTable both = printed_table(folder / "both.h5", request);
        CHECK(both.n_rows() == (is_ignored ? 12 : 24));
        CHECK(both.text("dose_time", is_ignored ? 0 : 1) == "12");
    }
}

TEST_CASE("steady states and resets of a study are seen in its results") {
    // Closed form, boluses into one compartment: CL = dose/AUCtau at steady state, troughs are
    // p·e^{−k·τ} with p = dose/V/(1 − e^{−k·τ}); after a reset a dose is a first one. The
    // logarithmic rule is exact, solving was by closed forms.
    const TemporaryFolder folder;
    const scenarios::Study study =
        load("regimens.toml", {"save.Cp={ every = \"1 h\", subjects = \"all\" }"});
    run(study, folder / "x.h5");
    NcaRequest request = request_by(NcaRoute::bolus);
    request.intervals = NcaIntervals::all;
    const PrintedTable table = printed_table(folder / "x.h5", request);
    const io::ResultReader file(folder / "x.h5");
    const std::vector<double> cl = file.reals("parameters/CL", -1, 0, 20),
                              v = file.reals("parameters/V", -1, 0, 20);
    std::size_t n_steady = 0, n_washed = 0, n_cancelled = 0;
    for (std::size_t row = 0; row < table.n_rows(); ++row) {
        const std::string arm = table.text("arm", row);
        const std::size_t s = std::stoul(table.text("subject", row)) - 1;
        const double q = std::exp(-12.0 * cl[s] / v[s]);
        CAPTURE(arm);
        CAPTURE(table.text("dose_time", row));
        if (arm == "steady" && table.text("dose_time", row) != "36") {
            ++n_steady;
            CHECK(table.number("auctau [mg.h/L]", row) == to(100.0 / cl[s], 1e-9));
            CHECK(table.number("cl_ss [L/h]", row) == to(cl[s], 1e-9));
            CHECK(table.number("ctrough [mg/L]", row) == to(100.0 / v[s] * q / (1.0 - q), 1e-9));
            CHECK(table.number("accumulation_index", row) == to(1.0 / (1.0 - q), 1e-6));
        }
        if (arm == "washed" && table.text("occasion", row) == "2") {
            ++n_washed;
            CHECK(table.text("dose_time", row) == "36");
            CHECK(table.number("cl_obs [L/h]", row) == to(cl[s], 1e-6));
        }
        if (arm == "cancelled") {
            ++n_cancelled;
            CHECK(table.text("dose_time", row) == "0");
            CHECK(table.number("cl_obs [L/h]", row) == to(cl[s], 1e-6));
        }
    }
    CHECK(n_steady == 3 * 20);
    CHECK(n_washed == 20);
    CHECK(n_cancelled == 20);
}

} // namespace gemel::tests
