#include "data_reading.hpp"

#include <gemel/pkpd/population.hpp>

#include <doctest/doctest.h>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

const std::filesystem::path of_occasions = tests_dir / "data" / "occasions_model.toml";
const char* const units = "[data.columns]\nTIME = { unit = \"h\" }\nAMT = { unit = \"mg\" }\n";

/// Subject 8 comes back to its first period.
const char* const visits = "ID,TIME,EVID,AMT,VISIT\n"
                           "7,0,1,100,first\n"
                           "7,2,0,.,first\n"
                           "8,0,1,100,b\n"
                           "8,2,0,.,b\n"
                           "8,24,1,100,a\n"
                           "8,26,0,.,a\n"
                           "8,48,0,.,b\n";

ReadData read_visits(const std::string& words) {
    return read_data_text(words + units, visits, of_occasions);
}

DataCohort cohort_of(const ReadData& read) {
    sim::DiagnosticList diagnostics;
    DataCohort cohort = make_cohort(*read.data, diagnostics);
    REQUIRE(diagnostics.empty());
    return cohort;
}

} // namespace

TEST_CASE("occasions of a column are numbered as they appear, and rows of inputs follow them") {
    const ReadData read = read_visits("occasion = \"visit\"\n");
    REQUIRE(read.messages == "");
    CHECK(read.data->occasion == "VISIT");
    using Numbers = std::vector<std::uint32_t>;
    CHECK(read.data->subjects[0].occasions == Numbers{0, 0});
    CHECK(read.data->subjects[1].occasions == Numbers{0, 0, 1, 1, 0});
    const DataCohort cohort = cohort_of(read);
    CHECK(cohort.first_row == std::vector<std::size_t>{0, 1, 4});
    CHECK(cohort.occasions == Numbers{0, 0, 1, 0});
    const auto& switches = cohort.timelines[1].switches;
    REQUIRE(switches.size() == 2);
    CHECK(switches[0].time == 24.0);
    CHECK(switches[0].place == sim::RowPlace::before);
    CHECK(switches[1].time == 48.0);
    // The column is kept beside the observations, and is not called unused.
    REQUIRE(read.data->carried.size() == 1);
    CHECK(read.data->carried[0].text.front() == "first");
    for (const std::string& note : read.data->notes)
        CHECK(note.find("VISIT") == std::string::npos);
    CHECK(read.data->columns[4].role == "occasion");
}

TEST_CASE("with nocb an occasion begins when the row before it is over, as in NONMEM") {
    const DataCohort cohort =
        cohort_of(read_visits("occasion = \"VISIT\"\ncovariates = \"nocb\"\n"));
    const auto& switches = cohort.timelines[1].switches;
    REQUIRE(switches.size() == 2);
    CHECK(switches[0].time == 2.0);
    CHECK(switches[0].place == sim::RowPlace::after);
    CHECK(switches[1].time == 26.0);
}

TEST_CASE("rows of inputs at one time begin where their row of the file stands") {
    // Counted by hand: records and observations above the row in which the occasion changes.
    const std::string crossover = "ID,TIME,EVID,AMT,VISIT\n"
                                  "1,0,1,100,a\n1,24,0,0,a\n1,0,4,100,b\n1,0,0,0,b\n1,9,0,0,c\n";
    for (const std::string rule : {"", "covariates = \"nocb\"\n"}) {
        CAPTURE(rule);
        const ReadData read =
            read_data_text("occasion = \"VISIT\"\n" + rule + units, crossover, of_occasions);
        REQUIRE(read.messages == "");
        CHECK(read.data->subjects[0].times == std::vector<double>{0, 24, 24, 24, 33});
        const DataCohort cohort = cohort_of(read);
        const auto& switches = cohort.timelines[0].switches;
        REQUIRE(switches.size() == 2);
        CHECK(switches[0].time == 24.0);
        CHECK(switches[0].place == sim::RowPlace::among);
        CHECK(switches[0].n_records == 1);
        CHECK(switches[0].n_samples == 1);
        CHECK(switches[1].time == (rule.empty() ? 33.0 : 24.0));
        CHECK(switches[1].place == (rule.empty() ? sim::RowPlace::before : sim::RowPlace::after));
    }
}

TEST_CASE("a row of inputs has the effects of its occasion") {
    // The effects that draw_occasions gives for the same subject and occasion.
    const ReadData read = read_visits("occasion = \"VISIT\"\n");
    Population population;
    population.model = read.model;
    population.size = 2;
    population.seed = 3;
    population.data = std::make_shared<const DataCohort>(cohort_of(read));
    const sim::SubjectRange both{0, 0, 2};
    const std::vector<double> rows = population.draw_rows(both);
    const std::vector<double> effects = population.draw_occasions(both, 2);
    const std::size_t n_rows = 4, cl = static_cast<std::size_t>(read.model->find_parameter("CL"));
    REQUIRE(population.n_rows(both) == n_rows);
    const auto effect = [&](std::size_t subject, std::size_t occasion) {
        return effects[(cl * 2 + occasion) * 2 + subject];
    };
    for (std::size_t i = 0; i < read.model->inputs.size(); ++i) {
        const double* row = rows.data() + i * n_rows;
        if (read.model->inputs[i].kind == InputSource::Kind::iov) {
            CHECK(row[0] == effect(0, 0));
            CHECK(row[1] == effect(1, 0));
            CHECK(row[2] == effect(1, 1));
            CHECK(row[3] == effect(1, 0));
            CHECK(row[1] != row[2]);
        } else {
            CHECK(row[1] == row[2]); // all else is the subject's
            CHECK(row[1] == row[3]);
        }
    }
}

TEST_CASE("without a column of occasions all is one, which is noted") {
    const ReadData read = read_visits("");
    REQUIRE(read.messages == "");
    CHECK(cohort_of(read).occasions.empty());
    bool is_noted = false;
    for (const std::string& note : read.data->notes)
        is_noted |= note.find("occasion = \"…\" in [data]") != std::string::npos;
    CHECK(is_noted);
}

TEST_CASE("mistakes of occasions are told at their places") {
    const std::string absent = read_visits("occasion = \"VISITS\"\n").messages;
    CHECK(absent.find("has no column 'VISITS'") != std::string::npos);
    CHECK(absent.find("study.toml:3:12") != std::string::npos);
    CHECK(absent.find("did you mean 'VISIT'?") != std::string::npos);
    const std::string missing = read_data_text(std::string("occasion = \"OCC\"\n") + units,
                                               "ID,TIME,AMT,OCC\n1,0,100,1\n1,2,.,.\n",
                                               of_occasions)
                                    .messages;
    CHECK(missing.find("data.csv:3:7: error: the occasion (OCC) is missing here") !=
          std::string::npos);
    const std::string fixed = read_data_text(std::string("occasion = \"OCC\"\n") + units +
                                                 "WT = { unit = \"kg\" }\nSEX = { carry = true }\n",
                                             "ID,TIME,AMT,OCC,WT,SEX\n1,0,100,1,70,male\n")
                                  .messages;
    CHECK(fixed.find("has iov: nothing differs between occasions") != std::string::npos);
}

TEST_CASE("values a hundred times off what a model predicts are told, with the likely unit") {
    const auto read = [](const char* value) {
        return read_data_text(std::string("[data.columns]\nTIME = { unit = \"h\" }\nAMT = { unit = "
                                          "\"mg\" }\nDV = { output = \"Cp\", unit = \"mg/L\" }\n"),
                              std::string("ID,TIME,AMT,DV\n1,0,100,.\n1,1,.,") + value +
                                  "\n1,2,.,0\n",
                              of_occasions);
    };
    const auto text = [&](const char* value, double predicted) {
        const ReadData one = read(value);
        REQUIRE(one.messages == "");
        // The value of 0 has no scale and is left out.
        const std::vector<DataScale> scales = compare_scales(*one.data, {{predicted, 5.0}});
        REQUIRE(scales.size() == 1);
        CHECK(scales[0].n == 1);
        sim::DiagnosticList diagnostics;
        if (scales[0].is_far()) tell_far(scales[0], *one.data, *one.model, diagnostics);
        return diagnostics.empty() ? std::string() : diagnostics.render();
    };
    CHECK(text("9", 9.0) == "");
    CHECK(text("99", 1.0) == "");
    CHECK(text("1", 99.0) == "");
    const std::string large = text("9000", 9.0), small = text("0.009", 9.0), odd = text("900", 5.0);
    CHECK(large.find("the median of 1 value of Cp is 9e+03 mg/L, but the model predicts 9 mg/L "
                     "for typical subjects in the same rows: 1e+03 times less") !=
          std::string::npos);
    CHECK(large.find(":1:13: error") != std::string::npos); // the header of DV
    CHECK(large.find("DV is read in mg/L, AMT in mg: a unit of DV 1000 times smaller, or of AMT "
                     "1000 times larger, would explain it") != std::string::npos);
    CHECK(small.find("a unit of DV 1000 times larger") != std::string::npos);
    CHECK(odd.find("a unit of DV smaller, or of AMT larger,") != std::string::npos);
    CHECK(odd.find("any_scale = true") != std::string::npos);
}
