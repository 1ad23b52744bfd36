#include "data_reading.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

const std::filesystem::path data_dir = tests_dir / "data";

ReadData read_published(const std::string& table, const char* model) {
    return read_data_table(table, "study.toml", data_dir, data_dir / model);
}

bool has_note(const ReadData& read, const std::string& part) {
    return std::ranges::any_of(read.data->notes, [&](const std::string& note) {
        return note.find(part) != std::string::npos;
    });
}

/// A good file whose header has the units; DV is the concentration.
ReadData read_good(const std::string& csv, const std::string& table = "") {
    const bool has_dv = csv.find("mg/L") != std::string::npos;
    const ReadData read =
        read_data_text(table + (has_dv ? "[data.columns]\nDV = { output = \"Cp\" }\n" : ""), csv);
    INFO(csv, "\n", read.messages);
    REQUIRE(read.data != nullptr);
    return read;
}

} // namespace

TEST_CASE("theophylline is read from its file") {
    // Oracle: the numbers of tests/data/NOTICE.md and lines of the file.
    const ReadData read = read_published(R"(
[data]
file = "theophylline.csv"
[data.columns]
TIME = { unit = "h" }
AMT = { unit = "mg" }
DV = { output = "Cp", unit = "mg/L" }
WT = { unit = "kg" }
)",
                                         "pkpd_model.toml");
    INFO(read.messages);
    REQUIRE(read.data != nullptr);
    CHECK(read.data->subjects.size() == 12);
    CHECK(read.data->n_doses() == 12);
    CHECK(read.data->n_observations() == 132);
    CHECK(read.data->n_rows() == 144);
    const DataSubject& first = read.data->subjects[0];
    REQUIRE(first.records.size() == 1);
    CHECK(first.records[0].amount == 319.992);
    CHECK(first.records[0].state == 0);
    CHECK(first.observations[0].dv == 0.74);
    CHECK(first.observations[0].n_records_before == 1);
    CHECK(first.observations[0].output == 0);
    REQUIRE(read.data->covariates.size() == 1);
    CHECK_FALSE(read.data->covariates[0].varies);
    CHECK(first.covariates[0][5] == 79.6);
    CHECK(read.data->lines[0] == 2);
    REQUIRE(read.data->carried.size() == 1);
    CHECK(read.data->carried[0].header == "DOSEPKG");
    CHECK(read.data->carried[0].text[0] == "4.02");
    CHECK(read.data->first_time == 0.0);
    CHECK(read.data->last_time == 24.65);
}

TEST_CASE("the histories of 59 neonates are read from their file") {
    const ReadData read = read_published(R"(
[data]
file = "phenobarbital.csv"
[data.columns]
TIME = { unit = "h" }
AMT = { unit = "mg" }
DV = { output = "Cp", unit = "ug/L" }
WT = { unit = "g" }
)",
                                         "pkpd_model.toml");
    INFO(read.messages);
    REQUIRE(read.data != nullptr);
    CHECK(read.data->subjects.size() == 59);
    CHECK(read.data->n_doses() == 589);
    CHECK(read.data->n_observations() == 155);
    // Declared in other units than they are in, which shows that they are converted.
    CHECK(read.data->subjects[0].observations[0].dv == doctest::Approx(0.0173).epsilon(1e-15));
    CHECK(read.data->subjects[0].covariates[0][0] == doctest::Approx(0.0014).epsilon(1e-15));
    CHECK(read.data->subjects[0].observations[0].n_records_before == 1);
    CHECK(has_values(*read.data));
}

TEST_CASE("two outputs are told apart by DVID, and categories by their codes") {
    const ReadData read = read_published(R"(
[data]
file = "warfarin_pkpd.csv"
[data.columns]
TIME = { unit = "h" }
AMT = { unit = "mg" }
WT = { unit = "kg" }
SEX = { categories = { 1 = "male", 0 = "female" } }
[data.columns.DVID.outputs]
1 = { output = "Cp", unit = "mg/L" }
2 = { output = "PCA", unit = "%" }
)",
                                         "pkpd_model.toml");
    INFO(read.messages);
    REQUIRE(read.data != nullptr);
    CHECK(read.data->subjects.size() == 32);
    CHECK(read.data->n_doses() == 32);
    std::size_t n_cp = 0, n_pca = 0;
    for (const DataSubject& subject : read.data->subjects)
        for (const DataObservation& observation : subject.observations)
            ++(observation.output == 0 ? n_cp : n_pca);
    CHECK(n_cp == 251);
    CHECK(n_pca == 232);
    REQUIRE(read.data->covariates.size() == 2);
    CHECK(read.data->subjects[0].covariates[1][0] == 1.0);
}

TEST_CASE("NONMEM's 26 situations are read from their file") {
    const ReadData read = read_published(R"(
[data]
file = "nonmem_events.csv"
covariates = "nocb"
[data.columns]
TIME = { unit = "h" }
AMT = { unit = "mg" }
LAGT = { unit = "h" }
RAT2 = { unit = "mg/h" }
DUR2 = { unit = "h" }
)",
                                         "one_compartment.toml");
    INFO(read.messages);
    REQUIRE(read.data != nullptr);
    CHECK(read.data->subjects.size() == 26);
    CHECK(read.data->n_doses() == 31);
    CHECK(read.data->n_rows() == 3439);
    const auto subject = [&](std::size_t id) { return read.data->subjects[id - 1]; };
    CHECK(subject(1).records[0].count == 4);
    CHECK(subject(1).records[0].interval == 24.0);
    CHECK(subject(4).records[0].rate == 10.0);
    CHECK(subject(5).records[0].rate == sim::modelled_duration);
    CHECK(subject(9).records[0].steady == sim::SteadyState::replaces);
    REQUIRE(subject(20).records.size() == 3);
    CHECK(subject(20).records[1].kind == sim::RecordKind::reset);
    CHECK(subject(20).records[2].amount == 120.0);
    CHECK(subject(20).records[2].time == 50.0);
    CHECK(subject(23).records[1].kind == sim::RecordKind::reset);
    CHECK(subject(25).records[1].steady == sim::SteadyState::adds);
    CHECK(subject(26).records[0].kind == sim::RecordKind::infuse);
    CHECK(subject(26).records[0].amount == 0.0);
    CHECK(subject(26).records[0].rate == 100.0);
    // A dose and an observation at one time keep their own lag times.
    CHECK(read.data->covariates[0].varies);
    CHECK(subject(17).covariates[0][0] == 1.0);
    CHECK(subject(17).covariates[0][1] == 0.0);
    CHECK(subject(1).observations.size() == subject(1).n_rows - 1);
    CHECK(subject(1).observations[0].is_missing);
    CHECK(read.data->carried.back().header == "NONMEM_CP");
    CHECK(read.data->carried.back().text[2] == "3754.4");
}

TEST_CASE("a file without EVID says which rows it took for doses") {
    const ReadData read =
        read_good("id,Time [h],amt [mg],dv [mg/L]\nA,0,100,.\nA,1,.,2.5\nA,2,0,NA\n");
    CHECK(read.data->n_doses() == 1);
    CHECK(read.data->n_observations() == 1);
    CHECK(read.data->subjects[0].observations.size() == 2);
    CHECK(has_note(read, "there is no column EVID: 1 row with an amount dose"));
    CHECK(has_note(read, "names no compartment: it is depot"));
}

TEST_CASE("semicolons, tabs and decimal commas are read and reported") {
    const ReadData read =
        read_good("\xEF\xBB\xBFID;TIME [h];AMT [mg];DV [mg/L]\r\n1;0;100,5;.\r\n1;1,5;0;2,25\r\n");
    CHECK(read.data->subjects[0].records[0].amount == 100.5);
    CHECK(read.data->subjects[0].observations[0].time == 1.5);
    CHECK(read.data->subjects[0].observations[0].dv == 2.25);
    CHECK(has_note(read, "separated by semicolons"));
    CHECK(has_note(read, "decimal comma"));
    CHECK(has_note(read_good("ID\tTIME [h]\tAMT [mg]\tDV [mg/L]\n1\t0\t1\t\n1\t1\t\t2\n"),
                   "separated by tabs"));
}

TEST_CASE("units stand in the declaration, the header or a row below it") {
    // One file three ways; ug/L and d are not the model's units.
    const char* const output = "[data.columns]\nDV = { output = \"Cp\" }\n";
    const ReadData in_header =
        read_data_text(output, "ID,TIME [d],AMT [g],DV [ug/L]\n1,0,0.1,.\n1,1,0,1500\n");
    const ReadData in_row =
        read_data_text(output, "ID,TIME,AMT,DV\n,d,[g],(ug/L)\n1,0,0.1,.\n1,1,0,1500\n");
    const ReadData in_parentheses =
        read_data_text(output, "ID,TIME (d),AMT (g),DV(ug/L)\n1,0,0.1,.\n1,1,0,1500\n");
    const ReadData declared = read_data_text(
        "[data.columns]\nTIME = { unit = \"d\" }\nAMT = { unit = \"g\" }\nDV = { output = \"Cp\", "
        "unit = \"ug/L\" }\n",
        "ID,TIME,AMT,DV\n1,0,0.1,.\n1,1,0,1500\n");
    for (const ReadData* read : {&in_header, &in_row, &in_parentheses, &declared}) {
        INFO(read->messages);
        REQUIRE(read->data != nullptr);
        CHECK(read->data->subjects[0].records[0].amount == 100.0);
        CHECK(read->data->subjects[0].observations[0].time == 24.0);
        CHECK(read->data->subjects[0].observations[0].dv == 1.5);
    }
    CHECK(in_row.data->lines[0] == 3);
}

TEST_CASE("compartments are named by number, state or route, and switched off by a minus") {
    const ReadData read = read_good("ID,TIME [h],EVID,AMT [mg],CMT\n"
                                    "1,0,1,10,2\n1,0,1,20,depot\n1,1,1,30,IV\n"
                                    "1,2,2,0,-1\n1,3,2,0,1\n1,4,2,0,2\n1,5,2,0,-central\n"
                                    "1,6,1,5,2\n");
    const std::vector<sim::Record>& records = read.data->subjects[0].records;
    REQUIRE(records.size() == 7);
    CHECK(records[0].state == 1);
    CHECK(records[1].state == 0);
    CHECK(records[2].state == 1);
    CHECK(records[3].kind == sim::RecordKind::switch_off);
    CHECK(records[3].state == 0);
    CHECK(records[4].kind == sim::RecordKind::switch_on);
    CHECK(records[5].kind == sim::RecordKind::switch_off); // CMT 2 was on at 4 h
    CHECK(records[6].amount == 5.0); // when it comes it switches CMT 2 on
    CHECK(read.data->subjects[0].record_rows.back() == 7);
}

TEST_CASE("infusions are given by rate or duration") {
    const ReadData read = read_good("ID,TIME [h],AMT [mg],RATE,DUR,CMT\n"
                                    "1,0,100,50,.,2\n1,1,100,0,4,2\n1,2,100,-2,.,2\n");
    const std::vector<sim::Record>& records = read.data->subjects[0].records;
    REQUIRE(records.size() == 3);
    CHECK(records[0].rate == 50.0);
    CHECK(records[1].duration == 4.0);
    CHECK(records[1].rate == 0.0);
    CHECK(records[2].rate == sim::modelled_duration);
}

TEST_CASE("mass meets substance by the molar mass") {
    // 300 g/mol: 1 umol is 0.3 mg, 1 umol/L is 0.3 mg/L.
    const ReadData read = read_data_text("[data.columns]\nDV = { output = \"Cp\" }\n",
                                         "ID,TIME [h],AMT [umol],DV [umol/L],CMT\n"
                                         "1,0,10,.,2\n1,1,0,2,2\n");
    INFO(read.messages);
    REQUIRE(read.data != nullptr);
    CHECK(read.data->subjects[0].records[0].amount == doctest::Approx(3.0).epsilon(1e-14));
    CHECK(read.data->subjects[0].observations[0].dv == doctest::Approx(0.6).epsilon(1e-14));
}

TEST_CASE("whether doses still to come at a reset are given is left to the engine") {
    const std::string csv = "ID,TIME [h],EVID,AMT [mg],ADDL,II,SS\n"
                            "1,0,1,100,5,12,0\n1,30,3,0,0,0,0\n1,31,1,50,0,0,0\n";
    for (const char* pending : {"", "pending = \"give\"\n", "pending = \"cancel\"\n"})
        CHECK(read_good(csv, pending).data->subjects[0].records[0].count == 6);
}

TEST_CASE("observations name outputs in CMT, and constant infusions may be modelled") {
    const ReadData read = read_good("ID,TIME [h],AMT [mg],CMT,DV [mg/L]\n"
                                    "1,0,100,depot,.\n1,1,.,Cp,2\n1,2,.,Cp,1\n");
    CHECK(read.data->subjects[0].observations[1].output == 0);
    const ReadData constant = read_data_table(
        "[data]\nfile = \"nonmem_events.csv\"\ncovariates = \"nocb\"\n[data.columns]\nTIME = { "
        "unit "
        "= \"h\" }\nAMT = { unit = \"mg\" }\nLAGT = { unit = \"h\" }\nRAT2 = { unit = \"mg/h\" "
        "}\nDUR2 = { unit = \"h\" }\n",
        "study.toml",
        data_dir,
        data_dir / "one_compartment.toml");
    const ReadData modelled = read_data_text("",
                                             "ID,TIME [h],EVID,AMT [mg],RATE,SS,CMT\n"
                                             "1,0,1,0,-1,1,2\n1,1,0,.,.,.,2\n",
                                             data_dir / "one_compartment.toml");
    INFO(modelled.messages);
    REQUIRE(modelled.data != nullptr);
    CHECK(modelled.data->subjects[0].records[0].rate == sim::modelled_rate);
    CHECK(modelled.data->subjects[0].records[0].steady == sim::SteadyState::replaces);
    sim::Timeline timeline;
    timeline.end = 1e4;
    for (const DataSubject& subject : constant.data->subjects) {
        timeline.records = subject.records;
        CHECK_NOTHROW(sim::validate(timeline, 2, 4));
    }
}

TEST_CASE("time that begins anew after a reset goes on") {
    const ReadData read = read_good("ID,TIME [h],EVID,AMT [mg],ADDL,II\n"
                                    "1,0,1,100,9,12\n1,20,0,0,0,0\n1,0,4,50,0,0\n1,3,0,0,0,0\n");
    const DataSubject& subject = read.data->subjects[0];
    CHECK(subject.times == std::vector<double>{0.0, 20.0, 20.0, 23.0});
    CHECK(subject.file_times == std::vector<double>{0.0, 20.0, 0.0, 3.0});
    REQUIRE(subject.records.size() == 3);
    CHECK(subject.records[0].count == 2); // of 0 and 12 h
    CHECK(subject.records[1].kind == sim::RecordKind::reset);
    CHECK(subject.records[2].time == 20.0);
    CHECK(subject.observations[0].n_records_before == 1);
    CHECK(subject.observations[1].n_records_before == 3);
    CHECK(has_note(read, "time begins anew at 1 reset"));
}

TEST_CASE("dates and times of day count from the subject's first row") {
    const std::string header = "ID,DATE,TIME,AMT [mg],DV [mg/L]\n";
    const ReadData iso = read_good(header + "1,2020-02-28,22:00,100,.\n1,2020-03-01,1:30,.,2\n"
                                            "2,2021-05-01,8:00:36,100,.\n2,2021-05-01,9:00,.,2\n",
                                   "clock = true\n");
    CHECK(iso.data->subjects[0].times[0] == 0.0);
    CHECK(iso.data->subjects[0].times[1] == 27.5);                                 // a leap year
    CHECK(iso.data->subjects[1].times[1] == doctest::Approx(0.99).epsilon(1e-14)); // rounding only
    const ReadData other = read_good(header + "1,28/02/2020,22:00,100,.\n1,01/03/2020,1:30,.,2\n",
                                     "clock = true\ndate = \"d/m/y\"\n");
    CHECK(other.data->subjects[0].times[1] == iso.data->subjects[0].times[1]);
    const ReadData joint =
        read_good("ID,TIME,AMT [mg],DV [mg/L]\n1,2020-02-28T22:00,100,.\n1,2020-03-01T01:30,.,2\n",
                  "clock = true\n");
    CHECK(joint.data->subjects[0].times[1] == iso.data->subjects[0].times[1]);
}

TEST_CASE("dates and times may be numbers of days and decimal hours, as in NONMEM") {
    // Oracle: the second subject of the example in NONMEM's help page DATE, 50 h.
    const ReadData days = read_good("ID,DATE,TIME,AMT [mg],DV [mg/L]\n1,1,8,100,.\n1,3,10,.,2\n"
                                    "2,12,9:15,100,.\n2,12,14.75,.,2\n",
                                    "clock = true\n");
    CHECK(days.data->subjects[0].times[1] == 50.0);
    CHECK(days.data->subjects[1].times[1] == 5.5);
    const ReadData carried =
        read_data_text("[data.columns]\nDATE = { carry = true }\nDV = { output = \"Cp\" }\n",
                       "ID,DATE,TIME [h],AMT [mg],DV [mg/L]\n1,1,8,100,.\n1,3,10,.,2\n");
    REQUIRE(carried.data != nullptr);
    CHECK(carried.data->subjects[0].times[1] == 10.0);
}

TEST_CASE("IDs that are numbers are one subject however they are written, and called as first") {
    // NONMEM reads IDs as numbers.
    const std::string header = "ID,TIME [h],AMT [mg],DV [mg/L]\n";
    const ReadData numbers = read_good(header + "01,0,100,.\n1.0,1,.,2\n1,2,.,2\n10,0,100,.\n"
                                                "0010.,1,.,2\n100,0,100,.\n");
    REQUIRE(numbers.data->subjects.size() == 3);
    CHECK(numbers.data->subjects[0].id == "01");
    CHECK(numbers.data->subjects[0].n_rows == 3);
    CHECK(numbers.data->subjects[1].id == "10");
    CHECK(has_note(numbers, "IDs are numbers here: '01' and '1.0' are one subject"));
    const ReadData texts = read_good(header + "01,0,100,.\n1,1,100,2\nA,0,100,.\n");
    CHECK(texts.data->subjects.size() == 3);
    const ReadData large =
        read_good(header + "9007199254740993,0,100,.\n9007199254740992,0,100,.\n");
    CHECK(large.data->subjects.size() == 2); // one and the same double
}

TEST_CASE("times of day and dates are digits within their ranges") {
    // The Gregorian calendar and a day of 24 h.
    const auto told = [](const std::string& date, const std::string& time) {
        return read_data_text("clock = true\n[data.columns]\nDV = { output = \"Cp\" }\n",
                              "ID,DATE,TIME,AMT [mg],DV [mg/L]\n1,2020-01-31,8:30,100,.\n1," +
                                  date + "," + time + ",.,2\n")
            .messages;
    };
    CHECK(told("2020-01-31", "24:00") == "");
    CHECK(told("2020-01-31", "09:00:00.5") == "");
    for (const char* time : {"nan:30",
                             "9:nan",
                             "24:59",
                             "24:00:01",
                             "9.5:30",
                             "1e1:30",
                             "9:60",
                             "9:00:60",
                             "9:00:0x1",
                             "-9:00",
                             "9:",
                             "inf:00",
                             "+9:00",
                             "9:00:.5"}) {
        CAPTURE(time);
        CHECK(told("2020-01-31", time)
                  .find(":3:14: error: '" + std::string(time) + "' is no time of day") !=
              std::string::npos);
    }
    for (const char* date : {"2020-01-287",
                             "67556-02-01",
                             "1e30-02-01",
                             "2020-257-01",
                             "2020-13-01",
                             "2021-02-29",
                             "2020-1.5-01",
                             "nan-01-01",
                             "2020-02-0"}) {
        CAPTURE(date);
        CHECK(told(date, "9:00").find(":3:3: error: '" + std::string(date) + "' is no date") !=
              std::string::npos);
    }
}

TEST_CASE("missing covariates are filled by the declared rule, the nearest beyond the ends") {
    const std::string csv = "ID,TIME [h],AMT [mg],WT [kg]\n"
                            "1,0,100,.\n1,1,0,70\n1,2,0,.\n1,4,0,.\n1,5,0,78\n1,6,0,NA\n";
    const auto weights = [&](const char* rule) {
        const ReadData read = read_good(csv, std::string("covariates = \"") + rule + "\"\n");
        CHECK(read.data->covariates[0].varies);
        CHECK(has_note(read, "4 missing values of WT are filled"));
        return read.data->subjects[0].covariates[0];
    };
    CHECK(weights("locf") == std::vector<double>{70, 70, 70, 70, 78, 78});
    CHECK(weights("nocb") == std::vector<double>{70, 70, 78, 78, 78, 78});
    CHECK(weights("linear") == std::vector<double>{70, 70, 72, 76, 78, 78});
    // One that never changes needs no rule.
    const ReadData constant =
        read_good("ID,TIME [h],AMT [mg],WT [kg]\n1,0,100,70\n1,1,0,.\n1,2,0,70\n");
    CHECK_FALSE(constant.data->covariates[0].varies);
    CHECK(constant.data->subjects[0].covariates[0] == std::vector<double>{70, 70, 70});
    // A covariate's own rule.
    const ReadData own = read_good(csv,
                                   "covariates = \"locf\"\n[data.columns]\nWT = { interpolation = "
                                   "\"nocb\" }\n");
    CHECK(own.data->covariates[0].interpolation == Interpolation::nocb);
}

TEST_CASE("censored values keep their limits") {
    // LLOQ is the limit; without it DV is (Monolix, nlmixr2), and LIMIT the interval's other end.
    const ReadData by_lloq = read_good("ID,TIME [h],AMT [mg],DV [mg/L],BLQ,LLOQ\n"
                                       "1,0,100,.,0,0.5\n1,1,0,2,0,0.5\n1,2,0,.,1,0.5\n");
    const auto& first = by_lloq.data->subjects[0].observations;
    REQUIRE(first.size() == 2);
    CHECK(first[0].cens == 0);
    CHECK(std::isnan(first[0].limit));
    CHECK(first[1].cens == 1);
    CHECK(first[1].limit == 0.5);
    CHECK_FALSE(first[1].is_missing);
    const ReadData by_dv = read_good("ID,TIME [h],AMT [mg],DV [mg/L],CENS,LIMIT\n"
                                     "1,0,100,.,0,.\n1,1,0,0.5,1,0.1\n1,2,0,9,-1,.\n");
    const auto& second = by_dv.data->subjects[0].observations;
    CHECK(second[0].limit == 0.5);
    CHECK(second[0].other_limit == 0.1);
    CHECK(second[1].cens == -1);
    CHECK(second[1].limit == 9.0);
    // A value above has the limit of ULOQ; that of LLOQ is the other one's.
    const ReadData by_both = read_good("ID,TIME [h],AMT [mg],DV [mg/L],CENS,LLOQ,ULOQ\n"
                                       "1,0,100,.,0,0.5,9\n1,1,0,.,-1,0.5,9\n1,2,0,.,1,0.5,9\n"
                                       "1,3,0,8,-1,0.5,.\n");
    const auto& third = by_both.data->subjects[0].observations;
    CHECK(third[0].cens == -1);
    CHECK(third[0].limit == 9.0);
    CHECK(third[1].limit == 0.5);
    CHECK(third[2].limit == 8.0);
    CHECK_FALSE(has_values(*by_dv.data));
    // LLOQ says nothing of a value above; EVID 2 has no limit.
    const ReadData above = read_good("ID,TIME [h],AMT [mg],EVID,DV [mg/L],CENS,LLOQ\n"
                                     "1,0,100,1,.,0,.\n1,1,0,0,9,-1,0.5\n1,2,0,2,.,0,0.5\n");
    const auto& rows = above.data->subjects[0].observations;
    CHECK(rows[0].limit == 9.0);
    CHECK(rows[0].dv == 9.0);
    CHECK(std::isnan(rows[1].limit));
    CHECK(std::isnan(rows[1].other_limit));
    // Limits in units of their own: 500 ug/L = 0.5 mg/L.
    const ReadData by_unit =
        read_good("ID,TIME [h],AMT [mg],DV [mg/L],CENS,LLOQ [ug/L],LIMIT [g/L]\n"
                  "1,0,100,.,0,.,.\n1,1,0,.,1,500,0.0001\n");
    const DataObservation& fourth = by_unit.data->subjects[0].observations[0];
    CHECK(fourth.limit == doctest::Approx(0.5).epsilon(1e-14)); // rounding of units
    CHECK(fourth.other_limit == doctest::Approx(0.1).epsilon(1e-14));
    const ReadData by_amount =
        read_data_text("[data.columns]\nDV = { output = \"Cp\" }\n",
                       "ID,TIME [h],AMT [mg],DV [mg/L],CENS,LLOQ [mg]\n1,0,100,.,0,.\n"
                       "1,1,0,.,1,0.5\n");
    CHECK(by_amount.messages.find("LLOQ is in mg (an amount), but the output Cp is in mg/L") !=
          std::string::npos);
    // What is not used needs no limit.
    const ReadData unused = read_data_text(
        "[data.columns]\nDVID = { outputs = { 1 = { output = \"Cp\" }, 2 = { output = \"none\" } "
        "} }\n",
        "ID,TIME [h],AMT [mg],DV [mg/L],DVID,CENS\n1,0,100,.,.,0\n1,1,0,2,1,0\n1,1,0,.,2,1\n");
    INFO(unused.messages);
    REQUIRE(unused.data != nullptr);
    CHECK(unused.data->subjects[0].observations[1].cens == 0);
}

TEST_CASE("what is derived or left out is noted") {
    const ReadData read = read_good("ID,TIME [h],EVID,AMT [mg],II,DV [mg/L],MDV,DATE\n"
                                    "C a comment, with fewer cells\n"
                                    "1,0,1,100,12,5,1,x\n1,1,0,0,0,2,1,x\n1,2,0,0,0,3,0,.\n"
                                    "2,0,0,0,0,3,.,\n,,,,,,,\n",
                                    "ignore = \"C\"\n");
    CHECK(has_note(read, "1 row beginning with 'C' is left out"));
    CHECK(has_note(read, "1 empty row is left out"));
    CHECK(has_note(read, "II is ignored on 1 dose row without ADDL and SS"));
    CHECK(has_note(read, "DV is ignored on 1 dose row"));
    CHECK(has_note(read, "MDV 1 leaves out 1 value of DV"));
    CHECK(has_note(read, "1 observation has no value to be used"));
    CHECK(has_note(read, "1 subject receives no dose: ID 2"));
    CHECK(has_note(read, "DATE is not used"));
    CHECK(read.data->subjects[0].records[0].interval == 0.0);
    CHECK(read.data->n_observations() == 2);
    CHECK(read.data->lines.back() == 6);
}

TEST_CASE("values that look like codes for missing ones are noted with their place") {
    const ReadData read = read_good("ID,TIME [h],EVID,AMT [mg],ADDL,II,DV [mg/L],MDV,WT [kg]\n"
                                    "1,0,1,100,0,12,.,1,70\n1,1,0,.,0,0,-99,.,70\n"
                                    "1,2,0,.,2,12,-99,.,70\n1,3,0,.,0,0,-99,1,70\n"
                                    "2,0,1,100,0,0,.,1,0\n2,1,0,.,0,0,2,0,0\n");
    CHECK(has_note(read,
                   "DV is -99 on 2 rows (the first is line 3): if that stands for a missing value, "
                   "write missing = [\".\", \"NA\", \"\", \"-99\"] in [data]"));
    CHECK(has_note(read, "WT is 0 on 2 rows (the first is line 6)"));
    CHECK(has_note(read, "ADDL or SS are ignored on 1 row that gives no dose (line 4)"));
    CHECK(has_note(read, "II is ignored on 1 dose row without ADDL and SS (line 2)"));
}

TEST_CASE("a reset with a negative CMT is noted, since NONMEM would switch the compartment off") {
    // Users Guide VI, V.H.
    const ReadData read =
        read_good("ID,TIME [h],EVID,AMT [mg],CMT\n1,0,1,100,1\n1,1,3,0,-2\n1,2,0,0,2\n");
    CHECK(read.data->subjects[0].records.size() == 2);
    CHECK(has_note(read, "a negative CMT switches nothing off on 1 reset (line 3)"));
}

TEST_CASE("population PK data sets of CDISC are read by a preset") {
    const ReadData read = read_data_text(
        "preset = \"adppk\"\n[data.columns]\nTIME = { unit = \"h\" }\nAMT = { unit = \"mg\" }\n"
        "DV = { unit = \"ng/mL\" }\nDVID = { outputs = { DRUG = { output = \"Cp\" } } }\n"
        "WT = { column = \"WTBL\", unit = \"kg\" }\n",
        "STUDYID,USUBJID,EVID,AFRLT,NFRLT,DOSEA,PARAMCD,CMT,AMT,DV,MDV,BLQFL,ALLOQ,WTBL\n"
        "S1,S1-001,1,0,0,100,DOSE,1,100,.,1,N,5,70\n"
        "S1,S1-001,0,1.1,1,100,DRUG,2,.,1500,0,N,5,70\n"
        "S1,S1-001,0,48,48,100,DRUG,2,.,.,0,Y,5,70\n");
    INFO(read.messages);
    REQUIRE(read.data != nullptr);
    const DataSubject& subject = read.data->subjects[0];
    CHECK(subject.id == "S1-001");
    CHECK(subject.observations[0].time == 1.1);
    CHECK(subject.observations[0].dv == 1.5);
    CHECK(subject.observations[1].cens == 1);
    CHECK(subject.observations[1].limit == 0.005);
    CHECK(subject.covariates[0][0] == 70.0);
    CHECK(read.data->carried.size() == 3); // STUDYID, NFRLT, DOSEA
}

TEST_CASE("what stands above the data is left out or understood, and noted") {
    const std::string rows = "1,0,100,.\n1,1,.,2\n", header = "ID,TIME [h],AMT [mg],DV [mg/L]\n";
    const auto check = [](const std::string& csv, const char* note, int first_line) {
        const ReadData read = read_good(csv);
        CHECK(has_note(read, note));
        CHECK(read.data->lines.front() == first_line);
        CHECK(read.data->n_observations() == 1);
        CHECK(read.data->carried.empty());
    };
    check("# cut on Monday\n\n# by hand\n" + header + rows,
          "2 lines beginning with '#' above the data are left out",
          5);
    check("# " + header + rows, "the header begins with '#'", 2);
    std::string semicolons = header + rows;
    std::ranges::replace(semicolons, ',', ';');
    check("sep=;\n" + semicolons, "the first line names the separator", 3);
    check("\xEF\xBB\xBFsep=;\r\n" + semicolons, "columns are separated by semicolons", 3);
    check("\"\",\"ID\",\"TIME [h]\",\"AMT [mg]\",\"DV [mg/L]\"\n\"1\",1,0,100,.\n\"7\",1,1,NA,2\n",
          "the first column, which has no name, is left out",
          2);
}

TEST_CASE("files without a header or separated by blanks are read, as NONMEM's own are") {
    const ReadData read = read_data_text(
        "header = [\"ID\", \"AMT\", \"TIME\", \"DV\", \"WT\"]\n[data.columns]\nAMT = { unit = "
        "\"mg\" "
        "}\nTIME = { unit = \"h\" }\nDV = { output = \"Cp\", unit = \"mg/L\" }\nWT = { unit = "
        "\"kg\" }\n",
        "           1      4.02     0.  .      79.6\n\n           1 .     \t  0.25 2.84   79.6 \n");
    INFO(read.messages);
    REQUIRE(read.data != nullptr);
    CHECK(has_note(read, "columns are separated by blanks"));
    CHECK(read.data->subjects[0].records[0].amount == 4.02);
    CHECK(read.data->subjects[0].observations[0].time == 0.25);
    CHECK(read.data->subjects[0].observations[0].dv == 2.84);
    CHECK(read.data->lines == std::vector<int>{1, 3});
    const ReadData named =
        read_good("ID TIME AMT DV\n1 0 100 .\n1 1 . 2\n",
                  "[data.columns]\nTIME = { unit = \"h\" }\nAMT = { unit = \"mg\" "
                  "}\nDV = { output = \"Cp\", unit = \"mg/L\" }\n");
    CHECK(named.data->n_observations() == 1);
}

TEST_CASE("columns that only sound like one of the convention are carried along") {
    const ReadData read =
        read_good("ID,TIME [h],AMT [mg],DV [mg/L],ROUTE,GRADE,STATE,RATIO,HRATE,ADDR\n"
                  "1,0,100,.,iv,1,NY,0.5,71,Main St\n1,1,.,2,iv,2,NY,0.5,70,Main St\n");
    CHECK(read.data->carried.size() == 6);
}

TEST_CASE("rows whose DVID is of no output may be of any compartment") {
    const ReadData read = read_data_text(
        "[data.columns]\nDVID = { outputs = { 1 = { output = \"Cp\" }, 2 = { output = "
        "\"none\" } } }\n",
        "ID,TIME [h],AMT [mg],DV [mg/L],DVID,CMT\n1,0,100,.,.,1\n1,1,.,2,1,2\n"
        "1,1,.,70,2,9\n");
    INFO(read.messages);
    REQUIRE(read.data != nullptr);
    CHECK(read.data->n_observations() == 1);
}

TEST_CASE("SS 3 is SS 1") {
    // NONMEM's help page SS: the same but for the first guess of the steady state.
    const ReadData read = read_good("ID,TIME [h],AMT [mg],II,SS\n1,0,100,12,3\n1,1,0,0,0\n");
    CHECK(read.data->subjects[0].records[0].steady == sim::SteadyState::replaces);
}

TEST_CASE("columns are renamed, carried or not used as declared") {
    const ReadData read = read_data_text(
        "missing = [\"-99\"]\n[data.columns]\nID = { column = \"Patient\" }\n"
        "AMT = { column = \"DOSE\", unit = \"mg\" }\nII = { carry = true }\n"
        "DV = { column = \"conc\", unit = \"mg/L\" }\n"
        "CMT = { outputs = { 2 = { output = \"Cp\" }, 3 = { output = \"none\" } } }\n",
        "Patient,time "
        "[h],DOSE,conc,CMT,II\nA1,0,100,-99,1,weekly\nA1,1,-99,2,2,\nA1,1,-99,80,3,x\n");
    INFO(read.messages);
    REQUIRE(read.data != nullptr);
    const DataSubject& subject = read.data->subjects[0];
    CHECK(subject.id == "A1");
    CHECK(subject.records.size() == 1);
    CHECK(subject.observations[0].output == 0);
    CHECK(subject.observations[1].output == -1);
    CHECK(subject.observations[1].is_missing);
    REQUIRE(read.data->carried.size() == 1);
    CHECK(read.data->carried[0].text == std::vector<std::string>{"weekly", "", "x"});
    CHECK(read.data->columns[2].role == "AMT");
    CHECK(read.data->columns[2].unit == "mg");
}

TEST_CASE("the keys of [data] are described for the reference") {
    for (const io::FieldRow& row : io::list_fields([](io::Fields& fields) {
             DataWords words;
             describe_data(fields, words);
         })) {
        INFO(row.path);
        CHECK_FALSE(row.field.about.empty());
        CHECK_FALSE(row.field.example.empty());
    }
}
