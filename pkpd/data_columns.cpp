#include "data_reading.hpp"
#include "names_of.hpp"
#include "table_cells.hpp"

#include <fmt/format.h>

#include <algorithm>

/// Which column is what, and in which unit.
namespace gemel::pkpd {
namespace {

/// The names of a role, in capitals; the first is what messages call it.
const std::vector<std::vector<std::string>>& role_names() {
    static const std::vector<std::vector<std::string>> names{{"ID"},
                                                             {"TIME"},
                                                             {"DATE"},
                                                             {"EVID"},
                                                             {"AMT"},
                                                             {"RATE"},
                                                             {"DUR", "TINF", "DURATION"},
                                                             {"CMT"},
                                                             {"ADDL"},
                                                             {"II"},
                                                             {"SS"},
                                                             {"DV"},
                                                             {"MDV"},
                                                             {"DVID", "YTYPE"},
                                                             {"CENS", "BLQ"},
                                                             {"LIMIT"},
                                                             {"LLOQ"},
                                                             {"ULOQ"}};
    return names;
}

/// How CDISC's population PK data sets (ADPPK) call what NONMEM knows by another name.
const std::vector<std::pair<DataRole, std::string>> adppk_names{{DataRole::id, "USUBJID"},
                                                                {DataRole::time, "AFRLT"},
                                                                {DataRole::dvid, "PARAMCD"},
                                                                {DataRole::cens, "BLQFL"},
                                                                {DataRole::cens, "BLQFN"},
                                                                {DataRole::lloq, "ALLOQ"}};

/// What other tools call a column: profiles take the first that is there, a run asks for it.
std::vector<std::string> other_names(DataRole role) {
    switch (role) {
    case DataRole::id:
        return {"USUBJID", "SUBJID", "SUBJECT", "SUBJ", "PATIENT", "PATID", "SID"};
    case DataRole::time:
        return {"TAFD", "AFRLT", "NFRLT", "HOURS", "HOUR", "HR", "T"};
    case DataRole::dv:
        return {"CONC", "AVAL", "CONCENTRATION"};
    default:
        return {};
    }
}

/// "[kg]", "(kg)" and "kg" in a row of units.
std::string bare_unit(std::string text) {
    const bool is_bracketed = (text.starts_with('[') && text.ends_with(']')) ||
                              (text.starts_with('(') && text.ends_with(')'));
    return is_bracketed ? text.substr(1, text.size() - 2) : text;
}

bool begins_like_a_unit(const std::string& text) {
    if (text.empty()) return false;
    const char c = text.front();
    return c == '[' || c == '(' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// A covariate of the model may have such a name.
bool is_less_usual(DataRole role) {
    return role > DataRole::mdv || role == DataRole::dur || role == DataRole::date;
}

bool has_unit(DataRole role) {
    switch (role) {
    case DataRole::time:
    case DataRole::amt:
    case DataRole::rate:
    case DataRole::dur:
    case DataRole::ii:
    case DataRole::dv:
    case DataRole::limit:
    case DataRole::lloq:
    case DataRole::uloq:
        return true;
    default:
        return false;
    }
}

bool is_without_unit(const std::string& text) {
    return text.empty() || text == "." || text == "-" || text == "1" || text == "[]";
}

} // namespace

std::string name(DataRole role) {
    return role_names()[static_cast<std::size_t>(role)].front();
}

std::string how_to_name(const DataWords& words,
                        const std::string& name,
                        const std::string& header,
                        const std::string& unit) {
    if (words.are_profiles) return fmt::format("--column {}={}", name, header);
    return fmt::format("{} = {{ column = \"{}\"{} }} in [data.columns]",
                       name,
                       header,
                       unit.empty() ? "" : fmt::format(", unit = \"{}\"", unit));
}

std::string how_to_carry(const DataWords& words, const std::string& name) {
    if (words.are_profiles) return "--carry " + name;
    return name + " = { carry = true }";
}

std::string how_to_set(const DataWords& words, const std::string& key, const std::string& option) {
    return words.are_profiles ? option : key + " in [data]";
}

DataTable::DataTable(const DataWords& words_,
                     const Model& model_,
                     io::CsvTable csv,
                     char separator,
                     DataMistakes& mistakes_)
    : words(words_),
      model(model_),
      mistakes(mistakes_),
      csv_(std::move(csv)),
      separator_(separator),
      is_taken_(csv_.header.size(), false) {
    for (const std::vector<io::CsvCell>& row : csv_.rows)
        rows_.push_back(&row);
    check_names();
    find_columns();
    check_words();
    read_unit_row();
    find_kind_of_ids();
    for (FoundColumn& column : columns_)
        if (column.is_found()) read_units(column);
    for (FoundCovariate& covariate : covariates_)
        read_units(covariate.column);
    check_essential();
}

std::vector<std::string> DataTable::header_names() const {
    std::vector<std::string> names;
    for (const io::CsvCell& cell : csv_.header)
        names.push_back(split_header(cell.text).name);
    return names;
}

/// Names that differ by case or unit alone are one name.
void DataTable::check_names() {
    const std::vector<std::string> names = header_names();
    for (const io::CsvCell& cell : csv_.header)
        if ((cell.text.find('[') == std::string::npos) !=
            (cell.text.find(']') == std::string::npos))
            mistakes.add("bracket",
                         cell.span,
                         fmt::format("the unit in '{}' is not between brackets", cell.text),
                         "write it as in 'DV [mg/L]'");
    for (std::size_t i = 0; i < names.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (!names[i].empty() && is_same_name(names[i], names[j]) &&
                csv_.header[i].text != csv_.header[j].text)
                mistakes.add("twice",
                             csv_.header[i].span,
                             fmt::format("the columns '{}' and '{}' have one name",
                                         csv_.header[j].text,
                                         csv_.header[i].text),
                             "rename one of them");
}

int DataTable::find_header(const std::string& name, bool any_case) const {
    const std::vector<std::string> names = header_names();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name || csv_.header[i].text == name) return static_cast<int>(i);
    for (std::size_t i = 0; any_case && i < names.size(); ++i)
        if (is_same_name(names[i], name)) return static_cast<int>(i);
    return -1;
}

const DataColumnWords* DataTable::words_for(const std::string& name) const {
    for (const DataColumnWords& column : words.columns)
        if (is_same_name(column.name, name)) return &column;
    return nullptr;
}

void DataTable::find_role(DataRole role) {
    FoundColumn& found = columns_[static_cast<std::size_t>(role)];
    std::vector<std::string> names = role_names()[static_cast<std::size_t>(role)];
    if (words.preset == "adppk")
        for (const auto& [of, name] : adppk_names)
            if (of == role) names.insert(names.begin(), name);
    for (const std::string& name : names)
        if (found.words == nullptr) found.words = words_for(name);
    if (found.words != nullptr && found.words->is_carried) return;
    if (found.words != nullptr && !found.words->column.empty()) names = {found.words->column};
    for (const std::string& name : names) {
        const int at = find_header(name, true);
        const bool is_covariate =
            at >= 0 && is_less_usual(role) && found.words == nullptr &&
            model.find_covariate(header_names()[static_cast<std::size_t>(at)]) >= 0;
        if (at < 0 || is_covariate || tell_taken(at, found.words, pkpd::name(role))) continue;
        if (found.is_found())
            mistakes.add("two columns",
                         csv_.header[static_cast<std::size_t>(at)].span,
                         fmt::format("the columns '{}' and '{}' say the same",
                                     found.header,
                                     csv_.header[static_cast<std::size_t>(at)].text),
                         fmt::format("leave one out, or write {}{}",
                                     how_to_carry(words, name),
                                     words.are_profiles ? "" : " in [data.columns]"));
        else
            found.at = at;
        if (found.header.empty()) found.header = header_names()[static_cast<std::size_t>(at)];
        is_taken_[static_cast<std::size_t>(at)] = true;
        if (words.preset == "adppk") break;
    }
    const bool is_told = found.words != nullptr && !found.words->column.empty();
    if (words.are_profiles && !found.is_found() && !is_told) find_other_name(role);
}

/// A column that is something already may not be named as something else. @returns whether it is
bool DataTable::tell_taken(int at, const DataColumnWords* column, const std::string& name) {
    const bool is_named = column != nullptr && !column->column.empty();
    if (!is_named || !is_taken_[static_cast<std::size_t>(at)]) return false;
    mistakes.add("column taken",
                 column->column_span,
                 fmt::format("the column '{}' is {} already and cannot be {}, too",
                             csv_.header[static_cast<std::size_t>(at)].text,
                             owner_of(at),
                             name),
                 fmt::format("name another column, or give {} one of its own", owner_of(at)));
    return true;
}

std::string DataTable::owner_of(int at) const {
    for (std::size_t role = 0; role < n_data_roles; ++role)
        if (columns_[role].at == at) return pkpd::name(static_cast<DataRole>(role));
    for (const FoundCovariate& found : covariates_)
        if (found.column.at == at)
            return model.covariates[static_cast<std::size_t>(found.covariate)].name;
    return "taken";
}

/// Noted, since it is a guess that only profiles make.
void DataTable::find_other_name(DataRole role) {
    FoundColumn& found = columns_[static_cast<std::size_t>(role)];
    for (const std::string& name : other_names(role)) {
        const int at = find_header(name, true);
        if (at < 0 || is_taken_[static_cast<std::size_t>(at)]) continue;
        found.at = at;
        found.header = header_names()[static_cast<std::size_t>(at)];
        is_taken_[static_cast<std::size_t>(at)] = true;
        notes_.push_back(fmt::format("'{}' is taken for {}", found.header, pkpd::name(role)));
        return;
    }
}

/// They may be covariates or carried along, too.
void DataTable::find_groups() {
    for (const DataGroupWords& group : words.groups) {
        groups_.push_back(find_header(group.column, true));
        if (groups_.back() < 0)
            mistakes.add("group",
                         group.span,
                         fmt::format("{} has no column '{}'", csv_.file->name, group.column),
                         sim::suggest(group.column, header_names()));
    }
    std::erase(groups_, -1);
}

void DataTable::find_covariate(int covariate) {
    FoundCovariate found;
    found.covariate = covariate;
    const std::string& name = model.covariates[static_cast<std::size_t>(covariate)].name;
    found.column.words = words_for(name);
    const bool is_renamed = found.column.words != nullptr && !found.column.words->column.empty();
    found.column.at = find_header(is_renamed ? found.column.words->column : name, true);
    if (found.column.words != nullptr && found.column.words->is_carried) return;
    if (!found.column.is_found() || tell_taken(found.column.at, found.column.words, name) ||
        is_taken_[static_cast<std::size_t>(found.column.at)])
        return;
    found.column.header = header_names()[static_cast<std::size_t>(found.column.at)];
    is_taken_[static_cast<std::size_t>(found.column.at)] = true;
    covariates_.push_back(std::move(found));
}

/// It may be carried along or a covariate, too.
void DataTable::find_occasion() {
    if (words.occasion.empty()) return;
    occasion_ = find_header(words.occasion, true);
    if (occasion_ < 0)
        mistakes.add("occasion",
                     words.occasion_span,
                     fmt::format("{} has no column '{}'", csv_.file->name, words.occasion),
                     sim::suggest(words.occasion, header_names()));
    if (std::ranges::none_of(model.parameters,
                             [](const Parameter& parameter) { return parameter.iov.has_value(); }))
        mistakes.add("no iov",
                     words.occasion_span,
                     fmt::format("no parameter of the model {} has iov: nothing differs between "
                                 "occasions",
                                 model.id),
                     "write for example CL = { …, iov = { cv = 0.15 } } in the model, or leave "
                     "`occasion` out");
}

void DataTable::find_columns() {
    for (std::size_t role = 0; role < n_data_roles; ++role)
        find_role(static_cast<DataRole>(role));
    for (std::size_t i = 0; i < model.covariates.size(); ++i)
        find_covariate(static_cast<int>(i));
    find_occasion();
    find_groups();
    for (std::size_t i = 0; i < csv_.header.size(); ++i)
        if (!is_taken_[i] && !csv_.header[i].text.empty()) carried_.push_back(static_cast<int>(i));
}

/// What `[data.columns]` names must be a column of the convention or a covariate, and stand there.
void DataTable::check_words() {
    std::vector<std::string> known = names_of(model.covariates);
    for (const auto& names : role_names())
        known.insert(known.end(), names.begin(), names.end());
    if (words.preset == "adppk")
        for (const auto& [role, name] : adppk_names)
            known.push_back(name);
    for (const DataColumnWords& column : words.columns) {
        const bool is_known = std::ranges::any_of(
            known, [&](const std::string& name) { return is_same_name(name, column.name); });
        if (!is_known && !column.is_carried)
            mistakes.add(
                "unknown word",
                column.span,
                fmt::format("'{}' is neither a column of the convention nor a covariate of "
                            "the model {}",
                            column.name,
                            model.id),
                sim::suggest(column.name, known));
        const std::string& header = column.column.empty() ? column.name : column.column;
        // Otherwise another name may stand for it.
        const bool is_named = !column.column.empty() || column.is_carried ||
                              (!words.are_profiles && words.preset.empty());
        if ((is_known || column.is_carried) && is_named && find_header(header, true) < 0)
            mistakes.add("no such column",
                         column.column.empty() ? column.span : column.column_span,
                         fmt::format("{} has no column '{}'", csv_.file->name, header),
                         sim::suggest(header, header_names()));
        if (is_known || column.is_carried) check_keys(column);
    }
}

/// Keys that say nothing of a column would be passed over.
void DataTable::check_keys(const DataColumnWords& column) {
    if (words.are_profiles) return; // options, not keys
    const std::optional<DataRole> role = role_called(column.name);
    const int covariate = find_covariate_called(column.name);
    const bool is_category =
        covariate >= 0 && !model.covariates[static_cast<std::size_t>(covariate)].categories.empty();
    const auto check = [&](const char* key,
                           bool is_given,
                           bool fits,
                           const sim::SourceSpan& span,
                           const char* owner) {
        if (!is_given || (fits && !column.is_carried)) return;
        mistakes.add(
            std::string("key of ") + key,
            span,
            column.is_carried
                ? fmt::format(
                      "{} is only carried along, so that '{}' says nothing of it", column.name, key)
                : fmt::format("'{}' says nothing of {}: it is of {}", key, column.name, owner),
            "leave it out");
    };
    check("unit",
          column.unit.has_value(),
          (role && has_unit(*role)) || (covariate >= 0 && !is_category),
          column.unit_span,
          "columns of numbers with a unit");
    check("output", !column.output.empty(), role == DataRole::dv, column.output_span, "DV");
    check("outputs",
          !column.outputs.empty(),
          role == DataRole::dvid || role == DataRole::cmt,
          column.outputs_span,
          "DVID or CMT");
    check("categories",
          !column.categories.empty(),
          is_category,
          column.categories_span,
          "covariates with categories");
    check("interpolation",
          column.interpolation != Interpolation::none,
          covariate >= 0,
          column.interpolation_span,
          "covariates");
}

int DataTable::find_covariate_called(const std::string& name) const {
    for (std::size_t i = 0; i < model.covariates.size(); ++i)
        if (is_same_name(model.covariates[i].name, name)) return static_cast<int>(i);
    return -1;
}

std::optional<DataRole> DataTable::role_called(const std::string& name) const {
    for (std::size_t role = 0; role < n_data_roles; ++role)
        for (const std::string& known : role_names()[role])
            if (is_same_name(known, name)) return static_cast<DataRole>(role);
    if (words.preset == "adppk")
        for (const auto& [role, known] : adppk_names)
            if (is_same_name(known, name)) return role;
    return std::nullopt;
}

/// The first row holds units where its TIME, or without one its AMT, begins like a word.
void DataTable::read_unit_row() {
    if (rows_.empty()) return;
    const DataRole role = has(DataRole::time) ? DataRole::time : DataRole::amt;
    if (!has(role)) return;
    const io::CsvCell& cell = this->cell(0, role);
    if (is_missing(cell) || !begins_like_a_unit(cell.text)) return;
    unit_row_ = rows_.front();
    rows_.erase(rows_.begin());
}

/// Of the declaration, the header and the row of units those that speak must agree.
void DataTable::read_units(FoundColumn& column) {
    const io::CsvCell& header = csv_.header[static_cast<std::size_t>(column.at)];
    if (column.words != nullptr) column.unit = column.words->unit;
    const auto take = [&](const std::string& text, const sim::SourceSpan& span) {
        std::string why;
        const auto unit = sim::parse_unit(text, &why);
        column.has_bad_unit = column.has_bad_unit || !unit;
        if (!unit)
            mistakes.add("no unit",
                         span,
                         fmt::format("\"{}\" is no unit: {}", text, why),
                         unit_row_ == nullptr || &span == &header.span
                             ? "units are written as in UCUM: mg, mg/L, h, kg"
                             : "units are written as in UCUM: mg, mg/L, h, kg; the row below the "
                               "header was taken for units, since its time is no number");
        else if (!column.unit)
            column.unit = unit;
        else if (!(unit->dimension == column.unit->dimension) ||
                 sim::conversion_factor(*unit, *column.unit) != 1.0)
            mistakes.add("two units",
                         span,
                         fmt::format("the column '{}' is in {} here, but in {} elsewhere",
                                     column.header,
                                     text,
                                     column.unit->text),
                         "keep the one that is right");
    };
    if (const std::string unit = split_header(header.text).unit; !unit.empty())
        take(unit, header.span);
    if (unit_row_ == nullptr) return;
    const io::CsvCell& cell = (*unit_row_)[static_cast<std::size_t>(column.at)];
    if (!is_without_unit(cell.text)) take(bare_unit(cell.text), cell.span);
}

void DataTable::tell_absent(DataRole role) {
    const FoundColumn& found = column(role);
    if (found.words != nullptr && !found.words->column.empty()) return; // told there
    std::string header = "…";
    std::string help = sim::suggest(pkpd::name(role), header_names());
    for (const std::string& name : other_names(role))
        if (const int at = find_header(name, true); at >= 0 && header == "…") {
            header = header_names()[static_cast<std::size_t>(at)];
            help = "if that is what it holds";
        }
    mistakes.add(
        "no " + pkpd::name(role),
        csv_.header.front().span,
        fmt::format("there is no column {}", pkpd::name(role)),
        fmt::format("write {}; {}",
                    how_to_name(words, pkpd::name(role), header, role == DataRole::time ? "h" : ""),
                    help));
}

void DataTable::check_essential() {
    for (const DataRole role : {DataRole::id, DataRole::time, DataRole::dv}) {
        const bool is_needed = role != DataRole::dv || words.are_profiles;
        if (is_needed && !has(role)) tell_absent(role);
    }
    if (!words.are_profiles) {
        if (!has(DataRole::amt)) tell_no_amounts();
        check_amounts();
    }
    check_slips();
    for (std::size_t i = 0; i < csv_.header.size(); ++i)
        if (csv_.header[i].text.empty()) check_nameless(static_cast<int>(i));
}

/// A first column of different texts without a name are R's names of rows.
bool DataTable::are_row_names(int at) const {
    std::set<std::string> texts;
    for (std::size_t row = 0; row < n_rows(); ++row)
        if (!texts.insert(cell(row, at).text).second) return false;
    return at == 0;
}

void DataTable::check_nameless(int at) {
    if (are_row_names(at)) {
        notes_.push_back("the first column, which has no name, is left out: names of rows");
        return;
    }
    for (std::size_t row = 0; row < n_rows(); ++row)
        if (!is_missing(cell(row, at)))
            mistakes.add("no name",
                         cell(row, at).span,
                         fmt::format("'{}' stands in a column without a name", cell(row, at).text),
                         "name the column in the header, or empty it");
}

/// The first column that is called like amounts elsewhere; −1 if there is none.
int DataTable::find_amounts_elsewhere() const {
    const std::vector<std::string> names = header_names();
    for (std::size_t i = 0; i < names.size(); ++i)
        for (const char* other : {"DOSE", "DOSEA", "DOSE_AMT", "AMOUNT", "DOSEAMT", "EXDOSE"})
            if (is_same_name(names[i], other) && !is_taken_[i]) return static_cast<int>(i);
    return -1;
}

/// A file without amounts would dose nobody.
void DataTable::tell_no_amounts() {
    const int at = find_amounts_elsewhere();
    const std::string near = sim::nearest_name("AMT", header_names());
    if (at >= 0) {
        const io::CsvCell& cell = csv_.header[static_cast<std::size_t>(at)];
        mistakes.add(
            "no AMT",
            cell.span,
            fmt::format("there is no column AMT, so that nobody would be dosed; '{}' is no "
                        "name for amounts",
                        cell.text),
            "if it holds the amounts given, write " +
                how_to_name(words, "AMT", split_header(cell.text).name, "mg"));
        return;
    }
    mistakes.add(
        "no AMT",
        csv_.header.front().span,
        "there is no column AMT, so that nobody would be dosed",
        fmt::format("name the column of amounts: AMT = {{ column = \"{}\", unit = \"mg\" }} "
                    "in [data.columns]; where nobody is dosed write a column AMT of 0",
                    near.empty() ? "…" : near));
}

/// AMT is there and empty, and the amounts stand elsewhere.
void DataTable::check_amounts() {
    const int at = find_amounts_elsewhere();
    if (!has(DataRole::amt) || at < 0 || words_for(header_names()[static_cast<std::size_t>(at)]))
        return;
    for (std::size_t row = 0; row < n_rows(); ++row)
        if (!is_missing(row, DataRole::amt) && cell(row, DataRole::amt).text != "0") return;
    mistakes.add(
        "empty AMT",
        csv_.header[static_cast<std::size_t>(at)].span,
        fmt::format("the column AMT gives no amount, so that nobody would be dosed, but "
                    "there is a column '{}'",
                    csv_.header[static_cast<std::size_t>(at)].text),
        fmt::format("if it holds the amounts given, write {}; if not, {}",
                    how_to_name(words, "AMT", header_names()[static_cast<std::size_t>(at)], "mg"),
                    how_to_carry(words, header_names()[static_cast<std::size_t>(at)])));
}

/// EVID, ADDL and RATE hold numbers; none but 0 where no amount is given, or events.
bool DataTable::could_be(DataRole role, int at) const {
    bool has_any = false;
    for (std::size_t row = 0; row < n_rows(); ++row) {
        const std::string& text = cell(row, at).text;
        if (is_missing(cell(row, at)) || text == "0") continue;
        const bool gives = has(DataRole::amt) && !is_missing(row, DataRole::amt) &&
                           cell(row, DataRole::amt).text != "0";
        const bool is_event = role == DataRole::evid && (text == "2" || text == "3");
        if ((!gives && !is_event) || !number_in(text)) return false;
        has_any = true;
    }
    return has_any;
}

/// A column that would dose otherwise, if its name were right: RATE and one letter more, less or
/// other. RACE, HRATE or ADDR mostly hold what no such column does.
void DataTable::check_slips() {
    const std::vector<std::string> names = header_names();
    for (const int at : carried_)
        for (const DataRole role : {DataRole::evid, DataRole::addl, DataRole::rate}) {
            const std::string& header = names[static_cast<std::size_t>(at)];
            const std::string wanted = pkpd::name(role);
            if (has(role) || words_for(header) != nullptr || is_same_name(header, "RACE") ||
                sim::nearest_name(wanted, std::vector{header}).empty() || !could_be(role, at))
                continue;
            mistakes.add("slip",
                         csv_.header[static_cast<std::size_t>(at)].span,
                         fmt::format("there is no column {}, but one called '{}'", wanted, header),
                         fmt::format("write {} in the header, or {}; if it is something else, {}",
                                     wanted,
                                     how_to_name(words, wanted, header, ""),
                                     how_to_carry(words, header)));
        }
}

void DataTable::tell_unit_missing(const FoundColumn& column,
                                  const std::string& key,
                                  const std::string& example) {
    if (column.has_bad_unit) return;
    const io::CsvCell& header = csv_.header[static_cast<std::size_t>(column.at)];
    const bool is_renamed = !is_same_name(column.header, key);
    mistakes.add(
        "unit of " + key,
        header.span,
        fmt::format("the unit of the column '{}' is missing", column.header),
        fmt::format(
            "write '{} [{}]' in the header{}, whichever unit it is",
            column.header,
            example,
            words.are_profiles
                ? ""
                : fmt::format(", or {} = {{ {}unit = \"{}\" }} in [data.columns]",
                              key,
                              is_renamed ? fmt::format("column = \"{}\", ", column.header) : "",
                              example)));
}

void DataTable::assume_unit(DataRole role, const sim::Unit& unit) {
    FoundColumn& found = columns_[static_cast<std::size_t>(role)];
    if (!found.unit) found.unit = unit;
}

const sim::Unit* DataTable::unit(DataRole role, const std::string& example) {
    FoundColumn& found = columns_[static_cast<std::size_t>(role)];
    if (found.unit) return &*found.unit;
    tell_unit_missing(found, pkpd::name(role), example);
    return nullptr;
}

std::vector<DataColumn> DataTable::described() const {
    std::vector<DataColumn> described;
    for (const io::CsvCell& cell : csv_.header)
        described.push_back({cell.text, cell.text.empty() ? "left out" : "carried", ""});
    const auto describe = [&](const FoundColumn& column, const std::string& role) {
        if (column.is_found())
            described[static_cast<std::size_t>(column.at)] = {
                csv_.header[static_cast<std::size_t>(column.at)].text,
                role,
                column.unit ? column.unit->text : ""};
    };
    for (std::size_t role = 0; role < n_data_roles; ++role)
        describe(columns_[role], pkpd::name(static_cast<DataRole>(role)));
    for (const FoundCovariate& covariate : covariates_)
        describe(covariate.column,
                 "covariate " +
                     model.covariates[static_cast<std::size_t>(covariate.covariate)].name);
    if (occasion_ >= 0) {
        std::string& role = described[static_cast<std::size_t>(occasion_)].role;
        role = role == "carried" ? "occasion" : role + ", occasion";
    }
    return described;
}

} // namespace gemel::pkpd
