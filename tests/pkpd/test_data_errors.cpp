#include "data_reading.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace gemel;
using namespace gemel::pkpd;

namespace {

const std::filesystem::path broken_dir = tests_dir / "errors" / "data";

/// The messages of a broken file: with the table beside it, or one that names the output alone.
std::string messages_of_data(const std::string& name) {
    const auto table = broken_dir / (name + ".toml");
    const bool has_table = std::filesystem::exists(table);
    const bool has_dv =
        text_of(broken_dir / (name + ".csv")).substr(0, 200).find("DV") != std::string::npos;
    const std::string text = has_table
                                 ? text_of(table)
                                 : "[data]\nfile = \"" + name + ".csv\"\n" +
                                       (has_dv ? "[data.columns]\nDV = { output = \"Cp\" }\n" : "");
    const ReadData read =
        read_data_table(text,
                        has_table ? "errors/data/" + name + ".toml" : "study.toml",
                        broken_dir,
                        tests_dir / "data" / "pkpd_model.toml");
    CHECK(read.data == nullptr);
    return read.messages;
}

std::vector<std::string> broken_files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(broken_dir))
        if (entry.path().extension() == ".expected") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

TEST_CASE("the messages of broken data files read as agreed") {
    // Oracle: the texts beside the files, read by a person; GEMEL_UPDATE_EXPECTED=1 writes them
    // anew.
    const std::vector<std::string> names = broken_files();
    CHECK(names.size() >= 60);
    for (const std::string& name : names) {
        INFO(name);
        const std::string messages = messages_of_data(name);
        const auto expected = broken_dir / (name + ".expected");
        if (std::getenv("GEMEL_UPDATE_EXPECTED") != nullptr) std::ofstream(expected) << messages;
        CHECK(messages == text_of(expected));
    }
}

TEST_CASE("every broken data file has its messages agreed") {
    for (const auto& entry : std::filesystem::directory_iterator(broken_dir)) {
        auto expected = entry.path();
        INFO(expected.string());
        CHECK(std::filesystem::exists(expected.replace_extension(".expected")));
    }
}

TEST_CASE("random damage to good files is told or leaves a good file, and breaks nothing") {
    // Invariant: there is a data set or there are messages, never both and never neither.
    const Loaded loaded = load_file(tests_dir / "data" / "pkpd_model.toml");
    REQUIRE(loaded.model != nullptr);
    const std::string good =
        "ID,TIME [h],EVID,AMT [mg],RATE,CMT,ADDL,II,SS,DV [mg/L],MDV,WT [kg],SEX\n"
        "1,0,1,100,0,1,3,12,0,.,1,70,male\n"
        "1,1,0,.,.,2,.,.,.,2.5,0,70,male\n"
        "1,2,2,.,.,-1,.,.,.,.,1,71,male\n"
        "1,40,4,100,50,2,0,24,1,.,1,71,male\n"
        "2,0,1,50,-2,central,0,0,0,.,1,60,female\n"
        "2,5,0,.,.,2,.,.,.,1e-1,0,NA,female\n";
    const std::string table = "[data]\nfile = \"damaged.csv\"\ncovariates = \"nocb\"\n"
                              "[data.columns]\nDV = { output = \"Cp\" }\n";
    const std::string letters = "0123456789.,;-+eE\t\n\"[]() NAxyz\xFC\xC3\r";
    const auto folder = temporary_path("damaged");
    std::filesystem::create_directories(folder);
    std::uint64_t state = 1;
    const auto draw = [&](std::size_t n) { // Knuth's linear congruential generator
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>((state >> 33) % n);
    };
    std::size_t n_good = 0, n_told = 0;
    for (int i = 0; i < 3000; ++i) {
        std::string text = good;
        for (std::size_t k = 1 + draw(3); k > 0; --k) {
            const std::size_t at = draw(text.size());
            const std::size_t how = draw(3);
            if (how == 0)
                text.erase(at, 1 + draw(4));
            else if (how == 1)
                text.insert(at, 1, letters[draw(letters.size())]);
            else
                text[at] = letters[draw(letters.size())];
        }
        std::ofstream(folder / "damaged.csv") << text;
        const ReadData read = read_data_of(loaded.model, table, "study.toml", folder);
        INFO(text);
        CHECK((read.data != nullptr) == read.messages.empty());
        ++(read.data != nullptr ? n_good : n_told);
    }
    std::filesystem::remove_all(folder);
    CHECK(n_good > 100);
    CHECK(n_told > 1000);
}

namespace {

/// Every key of `[data]` once, one a line.
constexpr const char* complete_data = R"([data]
file = "theophylline.csv"
preset = "adppk"
covariates = "locf"
pending = "cancel"
occasion = "OCC"
doses = "ignore"
any_scale = true
missing = ["."]
header = ["ID", "TIME"]
ignore = "C"
clock = true
date = "d/m/y"
[data.columns.DV]
column = "DV"
unit = "mg/L"
output = "Cp"
carry = false
[data.columns.WT]
interpolation = "linear"
[data.columns.SEX]
categories = { 1 = "male" }
[data.columns.DVID.outputs.1]
output = "Cp"
unit = "mg/L"
)";

std::string messages_of_words(const std::string& table) {
    sim::DiagnosticList diagnostics;
    const auto file = std::make_shared<sim::SourceFile>(sim::SourceFile{"study.toml", table});
    const io::TomlView document = io::parse_toml(file, diagnostics);
    DataWords words;
    io::read_fields(document, diagnostics, [&](io::Fields& fields) {
        io::Field field;
        field.name = "data";
        fields.table(field, [&](io::Fields& row) { describe_data(row, words); });
    });
    return diagnostics.empty() ? "" : diagnostics.render();
}

/// The table with each line `key = …` changed, one at a time.
template <class Check>
void for_each_key(const std::string& (*change)(std::string&), const Check& check) {
    std::istringstream lines(complete_data);
    std::string before, after = complete_data;
    for (std::string line; std::getline(lines, line);) {
        after.erase(0, line.size() + 1);
        const auto equals = line.find(" = ");
        if (equals != std::string::npos && line[0] != '[') {
            std::string key = line.substr(0, equals);
            const std::string name = key;
            check(name, before + change(key) + "\n" + after);
        }
        before += line + "\n";
    }
}

} // namespace

TEST_CASE("the complete table of data is good and has every key") {
    CHECK(messages_of_words(complete_data) == "");
    const std::string text = complete_data;
    for (const io::FieldRow& row : io::list_fields([](io::Fields& fields) {
             DataWords words;
             describe_data(fields, words);
         })) {
        INFO(row.path);
        CHECK((text.find("\n" + row.field.name + " = ") != std::string::npos ||
               text.find("." + row.field.name) != std::string::npos));
    }
}

TEST_CASE("misspelt keys and values of a wrong type are told for every key of data") {
    for_each_key([](std::string& key) -> const std::string& { return key += "x = 1"; },
                 [](const std::string& key, const std::string& table) {
                     INFO(table);
                     CHECK(messages_of_words(table).find("did you mean '" + key + "'?") !=
                           std::string::npos);
                 });
    // No key takes a date.
    for_each_key([](std::string& key) -> const std::string& { return key += " = 2020-01-01"; },
                 [](const std::string&, const std::string& table) {
                     INFO(table);
                     CHECK(messages_of_words(table).find("error:") != std::string::npos);
                 });
}
