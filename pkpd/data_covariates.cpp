#include "data_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

/// Covariates of the model that the file gives, row by row.
namespace gemel::pkpd {
namespace {

class CovariateMaker {
public:
    CovariateMaker(DataTable& table, const std::vector<int>& evids, const FoundCovariate& found)
        : table_(table),
          evids_(evids),
          found_(found),
          covariate_(table.model.covariates[static_cast<std::size_t>(found.covariate)]) {
        result.covariate = found.covariate;
        const DataColumnWords* words = found.column.words;
        const bool has_own = words != nullptr && words->interpolation != Interpolation::none;
        result.interpolation = has_own ? words->interpolation : table.words.covariates;
        if (covariate_.categories.empty())
            factor_ = unit_factor();
        else
            check_categories();
        if (!covariate_.categories.empty() && result.interpolation == Interpolation::linear)
            result.interpolation = Interpolation::none;
    }

    void add_to(DataSubject& subject);
    DataCovariate result;
    std::size_t n_filled = 0;
    NotedRows doubtful; ///< values such as −99, and a weight or height of 0

private:
    double unit_factor(); ///< 1 after a mistake
    void check_categories();
    double value(std::size_t row);
    bool is_doubtful(double number) const;
    double category(const io::CsvCell& cell);
    bool resets(std::size_t row) const { return evids_[row] == 3 || evids_[row] == 4; }
    void check_times(const DataSubject& subject, const std::vector<double>& values);
    void check_rule(const DataSubject& subject, const std::vector<double>& values);
    void fill(const DataSubject& subject, std::vector<double>& values);
    double between(const DataSubject& subject,
                   const std::vector<double>& values,
                   std::ptrdiff_t before,
                   std::ptrdiff_t after,
                   std::size_t i) const;

    DataTable& table_;
    const std::vector<int>& evids_;
    const FoundCovariate& found_;
    const Covariate& covariate_;
    double factor_ = 1.0;
    bool is_rule_told_ = false;
};

double CovariateMaker::unit_factor() {
    const std::optional<sim::Unit>& unit = found_.column.unit;
    if (!unit && covariate_.unit.is_dimensionless()) return 1.0;
    if (!unit) {
        table_.tell_unit_missing(found_.column, covariate_.name, covariate_.unit.text);
        return 1.0;
    }
    if (unit->dimension == covariate_.unit.dimension)
        return sim::conversion_factor(*unit, covariate_.unit);
    table_.mistakes.add("unit of " + covariate_.name,
                        table_.header()[static_cast<std::size_t>(found_.column.at)].span,
                        fmt::format("the column '{}' is in {}, but the covariate {} is in {}",
                                    found_.column.header,
                                    unit->text,
                                    covariate_.name,
                                    covariate_.unit.text),
                        fmt::format("if it is another quantity, write {} = {{ carry = true }} in "
                                    "[data.columns]",
                                    covariate_.name));
    return 1.0;
}

void CovariateMaker::check_categories() {
    if (found_.column.words == nullptr) return;
    for (const auto& [text, category] : found_.column.words->categories)
        if (std::ranges::find(covariate_.categories, category) == covariate_.categories.end())
            table_.mistakes.add("category of " + covariate_.name + category,
                                found_.column.words->categories_span,
                                fmt::format("{} has no category '{}'", covariate_.name, category),
                                sim::suggest(category, covariate_.categories));
}

double CovariateMaker::value(std::size_t row) {
    const io::CsvCell& cell = table_.cell(row, found_.column.at);
    if (table_.is_missing(cell)) return no_value;
    if (!covariate_.categories.empty()) return category(cell);
    const std::optional<double> number = table_.number(cell, found_.column.header);
    if (number && is_doubtful(*number)) doubtful.add(cell.span.line, cell.text);
    return number ? *number * factor_ : no_value;
}

bool CovariateMaker::is_doubtful(double number) const {
    const sim::Dimension& of = covariate_.unit.dimension;
    const bool is_size = of == sim::mass_dimension || of == sim::Dimension{{0.0, 1.0}}; // a length
    return is_code_for_missing(number) || (is_size && number <= 0.0);
}

double CovariateMaker::category(const io::CsvCell& cell) {
    std::string wanted = cell.text;
    if (found_.column.words != nullptr)
        for (const auto& [text, category] : found_.column.words->categories)
            if (text == cell.text) wanted = category;
    const auto& known = covariate_.categories;
    const auto at = std::ranges::find(known, wanted);
    if (at != known.end()) return static_cast<double>(at - known.begin());
    table_.mistakes.add(
        "category " + covariate_.name,
        cell.span,
        fmt::format("{} has no category '{}'", covariate_.name, cell.text),
        fmt::format("known are {}; what a text in the file means is said by {} = {{ "
                    "categories = {{ {} = \"{}\" }} }} in [data.columns]",
                    fmt::join(known, ", "),
                    covariate_.name,
                    cell.text,
                    known.front()));
    return no_value;
}

/// Doses may have values of their own at one time (a lag, a bioavailability), beside each other and
/// beside an observation; two observations may not differ, unless a reset between them lets time
/// begin anew.
void CovariateMaker::check_times(const DataSubject& subject, const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        for (std::size_t j = i; j-- > 0 && subject.times[j] == subject.times[i];) {
            if (resets(subject.first_row + j + 1)) break;
            const int evid = evids_[subject.first_row + i];
            const bool are_doses = evid == 1 || evid == 4;
            const bool are_alike = evid == evids_[subject.first_row + j];
            if (!are_alike || are_doses || std::isnan(values[i]) || std::isnan(values[j]) ||
                values[i] == values[j])
                continue;
            const std::size_t row = subject.first_row + i, other = subject.first_row + j;
            table_.mistakes.add("two values of " + covariate_.name,
                                table_.cell(row, found_.column.at).span,
                                fmt::format("{} is {} here, but {} at the same time on line {}",
                                            found_.column.header,
                                            table_.cell(row, found_.column.at).text,
                                            table_.cell(other, found_.column.at).text,
                                            table_.cell(other, found_.column.at).span.line),
                                "a subject has one value at a time");
            break;
        }
}

void CovariateMaker::check_rule(const DataSubject& subject, const std::vector<double>& values) {
    std::ptrdiff_t first = -1;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isnan(values[i])) continue;
        if (first < 0) first = static_cast<std::ptrdiff_t>(i);
        if (values[i] == values[static_cast<std::size_t>(first)]) continue;
        result.varies = true;
        if (result.interpolation == Interpolation::none && !is_rule_told_)
            table_.mistakes.add(
                "rule of " + covariate_.name,
                table_.cell(subject.first_row + i, found_.column.at).span,
                fmt::format("{} varies within subject {}, and how it goes between rows is not said",
                            found_.column.header,
                            subject.id),
                "write covariates = \"locf\" (the last value holds on), \"nocb\" (the next one "
                "holds before, as in NONMEM) or \"linear\" in [data]; a category has no "
                "\"linear\"");
        is_rule_told_ = true;
        return;
    }
    if (first >= 0) return;
    for (std::size_t i = 0; i < values.size(); ++i) // what is no value is told already
        if (!table_.is_missing(table_.cell(subject.first_row + i, found_.column.at))) return;
    table_.mistakes.add(
        "no value of " + covariate_.name,
        table_.cell(subject.first_row, found_.column.at).span,
        fmt::format("subject {} has no value of {}", subject.id, found_.column.header),
        "write the value in at least one of the subject's rows");
}

double CovariateMaker::between(const DataSubject& subject,
                               const std::vector<double>& values,
                               std::ptrdiff_t before,
                               std::ptrdiff_t after,
                               std::size_t i) const {
    const auto at = [&](std::ptrdiff_t row) { return values[static_cast<std::size_t>(row)]; };
    if (before < 0) return at(after);
    if (after < 0 || result.interpolation != Interpolation::linear)
        return result.interpolation == Interpolation::nocb && after >= 0 ? at(after) : at(before);
    const double t0 = subject.times[static_cast<std::size_t>(before)];
    const double t1 = subject.times[static_cast<std::size_t>(after)];
    if (!(t1 > t0)) return at(before);
    return at(before) + (at(after) - at(before)) * (subject.times[i] - t0) / (t1 - t0);
}

/// Before the first value and after the last one the nearest holds, whatever the rule.
void CovariateMaker::fill(const DataSubject& subject, std::vector<double>& values) {
    const std::vector<double> given = values;
    const auto n = static_cast<std::ptrdiff_t>(given.size());
    std::vector<std::ptrdiff_t> next(given.size(), -1);
    for (std::ptrdiff_t i = n - 1, after = -1; i >= 0; --i) {
        if (!std::isnan(given[static_cast<std::size_t>(i)])) after = i;
        next[static_cast<std::size_t>(i)] = after;
    }
    std::ptrdiff_t before = -1;
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (!std::isnan(given[i])) {
            before = static_cast<std::ptrdiff_t>(i);
        } else if (before >= 0 || next[i] >= 0) {
            values[i] = between(subject, given, before, next[i], i);
            ++n_filled;
        }
    }
}

void CovariateMaker::add_to(DataSubject& subject) {
    std::vector<double> values;
    for (std::size_t i = 0; i < subject.n_rows; ++i)
        values.push_back(value(subject.first_row + i));
    check_times(subject, values);
    check_rule(subject, values);
    fill(subject, values);
    subject.covariates.push_back(std::move(values));
}

} // namespace

void make_covariates(DataTable& table, const std::vector<int>& evids, DataSet& data) {
    for (const FoundCovariate& found : table.covariates()) {
        CovariateMaker maker(table, evids, found);
        for (DataSubject& subject : data.subjects)
            maker.add_to(subject);
        data.covariates.push_back(maker.result);
        const NotedRows& doubtful = maker.doubtful;
        if (doubtful.n > 0)
            data.notes.push_back(fmt::format("{} is {} on {}{}: {}",
                                             found.column.header,
                                             doubtful.first_text,
                                             counted(doubtful.n, "row"),
                                             doubtful.where(),
                                             how_to_say_missing(table.words, doubtful.first_text)));
        if (maker.n_filled > 0)
            data.notes.push_back(fmt::format("{} of {} {} filled from the subject's other rows",
                                             counted(maker.n_filled, "missing value"),
                                             found.column.header,
                                             maker.n_filled == 1 ? "is" : "are"));
    }
}

void make_occasions(DataTable& table, DataSet& data) {
    if (table.occasion() < 0) return;
    data.occasion = table.header()[static_cast<std::size_t>(table.occasion())].text;
    if (table.words.covariates == Interpolation::nocb)
        data.occasion_interpolation = Interpolation::nocb;
    for (DataSubject& subject : data.subjects) {
        std::vector<std::string> known;
        for (std::size_t i = 0; i < subject.n_rows; ++i) {
            const io::CsvCell& cell = table.cell(subject.first_row + i, table.occasion());
            if (table.is_missing(cell))
                table.mistakes.add("occasion missing",
                                   cell.span,
                                   fmt::format("the occasion ({}) is missing here", data.occasion),
                                   "each row belongs to one");
            const auto at = std::ranges::find(known, cell.text);
            subject.occasions.push_back(static_cast<std::uint32_t>(at - known.begin()));
            if (at == known.end()) known.push_back(cell.text);
        }
    }
}

} // namespace gemel::pkpd
